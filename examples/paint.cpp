/* Paints a picture file with a complete look, in C++17.
 *
 *   c++ -std=c++17 examples/paint.cpp $(pkg-config --cflags --libs lacquer) -o paint
 *   ./paint hand.jpg painted.jpg classic-french
 */
#include <lacquer.h>

#include <exception>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

struct Close {
    void operator()(lacquer *context) const { lacquer_close(context); }
    void operator()(lacquer_full_look *look) const { lacquer_full_look_free(look); }
};
using Context = std::unique_ptr<lacquer, Close>;
using Look = std::unique_ptr<lacquer_full_look, Close>;

Context open_context()
{
    char error[512];
    lacquer *context = nullptr;
    lacquer_options options = LACQUER_OPTIONS_INIT;
    if (lacquer_open(&context, &options, error, sizeof error) != LACQUER_OK)
        throw std::runtime_error(error);
    return Context(context);
}

Look read_look(const std::string &text)
{
    char error[512];
    lacquer_full_look *look = nullptr;
    if (lacquer_full_look_new(&look, text.data(), text.size(), nullptr, error, sizeof error) !=
        LACQUER_OK)
        throw std::runtime_error(error);
    return Look(look);
}

std::vector<char> read_file(const std::string &path)
{
    std::ifstream in(path, std::ios::binary);
    if (!in)
        throw std::runtime_error("cannot read '" + path + "'");
    return {std::istreambuf_iterator<char>(in), {}};
}

void paint(const std::string &from, const std::string &to, const std::string &look_text)
{
    const Context context = open_context();
    const Look look = read_look(look_text);
    const std::vector<char> file = read_file(from);
    lacquer_request request = LACQUER_REQUEST_INIT;
    lacquer_response response = LACQUER_RESPONSE_INIT;
    request.full_look = look.get();
    request.flags = LACQUER_MULTI_SCALE | LACQUER_FIND_HANDS;
    if (lacquer_process_file(context.get(), &request, file.data(), file.size(), &response) !=
        LACQUER_OK)
        throw std::runtime_error(lacquer_error(context.get()));
    std::ofstream out(to, std::ios::binary);
    out.write(reinterpret_cast<const char *>(response.bytes),
              static_cast<std::streamsize>(response.bytes_len));
    if (!out.flush())
        throw std::runtime_error("cannot write '" + to + "'");
    const char *json = nullptr;
    if (lacquer_response_json(context.get(), &json) == LACQUER_OK)
        std::cout << json << '\n';
}

} // namespace

int main(int argc, char **argv)
{
    if (argc != 4) {
        std::cerr << "usage: " << argv[0] << " IN.jpg OUT.jpg LOOK\n";
        return 2;
    }
    try {
        paint(argv[1], argv[2], argv[3]);
    } catch (const std::exception &error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
    return 0;
}
