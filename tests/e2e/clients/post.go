// Go's net/http and mime/multipart: go run post.go URL HAND.jpg
// Prints {"checks": N}; ends with an error at the first thing that is wrong.
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
)

var checks int

// Sends the request and expects nails.
func check(request *http.Request) {
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		log.Fatal(err)
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(response.Body)
	var answer struct {
		Success bool
		Nails   []any
	}
	if err := json.Unmarshal(body, &answer); err != nil || response.StatusCode != 200 ||
		!answer.Success || len(answer.Nails) == 0 {
		log.Fatalf("%s: %s %.300s", request.URL, response.Status, body)
	}
	checks++
}

func post(address, kind string, body []byte) {
	request, err := http.NewRequest("POST", address, bytes.NewReader(body))
	if err != nil {
		log.Fatal(err)
	}
	request.Header.Set("Content-Type", kind)
	check(request)
}

func main() {
	server := os.Args[1]
	hand, err := os.ReadFile(os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	text := base64.StdEncoding.EncodeToString(hand)
	post(server+"/api/v1/nails", "image/jpeg", hand)

	// encoding/json escapes nothing of base64, but <, > and & of other fields.
	object, _ := json.Marshal(map[string]any{"image": "data:image/jpeg;base64," + text, "sheen": true})
	post(server+"/api/process_base64", "application/json; charset=utf-8", object)
	object, _ = json.Marshal(map[string]any{"image": base64.RawURLEncoding.EncodeToString(hand)})
	post(server+"/api/process_base64", "application/json", object)

	var form bytes.Buffer
	writer := multipart.NewWriter(&form)
	part, _ := writer.CreateFormFile("image", "hand.jpg")
	part.Write(hand)
	writer.WriteField("color", "#00ff00")
	writer.Close()
	post(server+"/api/process", writer.FormDataContentType(), form.Bytes())

	values := url.Values{"image": {text}, "finish": {"gloss"}}
	post(server+"/api/process", "application/x-www-form-urlencoded", []byte(values.Encode()))
	fmt.Printf("{\"checks\": %d}\n", checks)
}
