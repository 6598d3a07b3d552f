"""Marks height and width of an ONNX network as open if the file states fixed ones although its
graph accepts others: ONNX Runtime enforces the stated shape, and the page uses landscape and
portrait pictures. Does the same as src/convert/open_dims.c, before our own program has been built.

Only the parts of onnx.proto named here are read. Everything else stays unchanged, byte for byte,
except the stored inner shapes (value_info), which are removed.
"""
GRAPH = 7                                  # of ModelProto
INPUT, OUTPUT, VALUE_INFO = 11, 12, 13     # of GraphProto
TYPE, TENSOR, SHAPE, DIM, NAME = 2, 1, 2, 1, 2  # ValueInfo's type, tensor_type, shape, dim, param


def read_varint(data, at):
    value, shift = 0, 0
    while True:
        value |= (data[at] & 0x7F) << shift
        shift += 7
        at += 1
        if data[at - 1] < 0x80:
            return value, at


def varint(value):
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out + bytes([value]))


def fields(data):
    """(number, whole field, its content if it has a length, else None), one after the other."""
    at = 0
    while at < len(data):
        start = at
        key, at = read_varint(data, at)
        content = None
        if key & 7 == 2:
            size, at = read_varint(data, at)
            content = data[at:at + size]
            at += size
        elif key & 7 == 0:
            at = read_varint(data, at)[1]
        else:
            at += {1: 8, 5: 4}[key & 7]
        yield key >> 3, data[start:at], content


def field(number, content):
    return varint(number << 3 | 2) + varint(len(content)) + content


def changed(data, wanted, change):
    """The message with each field `wanted` replaced by change(field)."""
    return b"".join(field(number, change(content)) if number == wanted else whole
                    for number, whole, content in fields(data))


def opened_shape(shape, names):
    dims = [content for number, _, content in fields(shape) if number == DIM]
    if len(dims) != 4:
        return shape
    dims[2:] = [field(NAME, name) for name in names]
    return b"".join(field(DIM, dim) for dim in dims)


def opened(model):
    """The model's bytes with open sizes."""
    def value(content, names):
        return changed(content, TYPE, lambda kind: changed(kind, TENSOR, lambda tensor: changed(
            tensor, SHAPE, lambda shape: opened_shape(shape, names))))

    def graph(content):
        out = []
        for number, whole, inner in fields(content):
            if number == INPUT:
                whole = field(INPUT, value(inner, (b"height", b"width")))
            elif number == OUTPUT:
                whole = field(OUTPUT, value(inner, (b"rows", b"columns")))
            if number != VALUE_INFO:
                out.append(whole)
        return b"".join(out)

    return changed(model, GRAPH, graph)
