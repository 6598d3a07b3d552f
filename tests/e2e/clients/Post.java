// Java's HttpClient: java Post.java URL HAND.jpg
// Prints {"checks": N}; throws at the first thing that is wrong.
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;

public class Post {
  // By default it offers h2c with every first request, which is a test of its own.
  static final HttpClient client =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
  static int checks = 0;

  static void post(String address, String type, byte[] body) throws Exception {
    HttpRequest request =
        HttpRequest.newBuilder(URI.create(address))
            .header("Content-Type", type)
            .POST(HttpRequest.BodyPublishers.ofByteArray(body))
            .build();
    HttpResponse<String> reply = client.send(request, HttpResponse.BodyHandlers.ofString());
    if (reply.statusCode() != 200
        || !reply.body().contains("\"success\":true")
        || reply.body().contains("\"nails\":[]")) {
      throw new Exception(address + ": " + reply.statusCode() + " " + reply.body());
    }
    checks++;
  }

  public static void main(String[] args) throws Exception {
    String server = args[0];
    byte[] hand = Files.readAllBytes(Path.of(args[1]));
    String text = Base64.getEncoder().encodeToString(hand);
    String wrapped = Base64.getMimeEncoder().encodeToString(hand);
    String address = server + "/api/process_base64";
    post(server + "/api/v1/nails", "image/jpeg", hand);
    String json = "{\"image\": \"" + wrapped.replace("\r\n", "\\r\\n").replace("/", "\\/") + "\"}";
    post(address, "application/json", json.getBytes(StandardCharsets.UTF_8));
    json = "{\"image\": \"" + Base64.getUrlEncoder().withoutPadding().encodeToString(hand) + "\"}";
    post(address, "application/json", json.getBytes(StandardCharsets.UTF_8));
    String form = "image=" + URLEncoder.encode(text, StandardCharsets.UTF_8);
    post(server + "/api/process", "application/x-www-form-urlencoded", form.getBytes());
    System.out.println("{\"checks\": " + checks + "}");
  }
}
