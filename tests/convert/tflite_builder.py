"""Writes small .tflite models tensor by tensor, with the schema's own classes."""
import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

TYPES = {"float32": "FLOAT32", "float16": "FLOAT16", "int32": "INT32", "uint8": "UINT8",
         "int64": "INT64", "bool": "BOOL", "int16": "INT16", "int8": "INT8"}


class Builder:
    """Collects tensors and operators, which are referred to by number."""

    def __init__(self):
        self.model = schema.ModelT()
        self.model.version = 3
        self.model.description = "made for a test"
        self.model.operatorCodes, self.codes = [], {}
        self.model.buffers = [schema.BufferT()]
        self.model.subgraphs = []
        self.add_graph()

    def add_graph(self):
        """Adds another graph to the file, which receives what follows; returns its number."""
        self.graph = schema.SubGraphT()
        self.graph.tensors, self.graph.operators = [], []
        self.model.subgraphs.append(self.graph)
        return len(self.model.subgraphs) - 1

    def main_graph(self):
        self.graph = self.model.subgraphs[0]

    def ends(self, inputs, outputs):
        self.graph.inputs, self.graph.outputs = list(inputs), list(outputs)

    def tensor(self, shape, dtype="float32", data=None, name=None, scale=None, zero=None, axis=0,
               signature=None):
        made = schema.TensorT()
        made.shape, made.type = list(shape), getattr(schema.TensorType, TYPES[str(np.dtype(dtype))])
        made.name = (name or f"tensor_{len(self.graph.tensors)}").encode()
        made.shapeSignature = list(signature) if signature is not None else None
        made.hasRank = True
        made.quantization = schema.QuantizationParametersT()
        if scale is not None:
            made.quantization.scale = [float(s) for s in np.atleast_1d(scale)]
            zeros = np.broadcast_to(np.atleast_1d(0 if zero is None else zero),
                                    len(made.quantization.scale))
            made.quantization.zeroPoint = [int(z) for z in zeros]
            made.quantization.quantizedDimension = axis
        made.buffer = 0
        if data is not None:
            made.buffer = len(self.model.buffers)
            contents = schema.BufferT()
            contents.data = np.frombuffer(np.ascontiguousarray(data).tobytes(), np.uint8)
            self.model.buffers.append(contents)
        self.graph.tensors.append(made)
        return len(self.graph.tensors) - 1

    def constant(self, data, name=None, **quantization):
        data = np.asarray(data)
        return self.tensor(data.shape, data.dtype, data, name, **quantization)

    def ints(self, *values):
        return self.constant(np.array(values, np.int32))

    def op(self, name, inputs, outputs, options=None, custom=None, **values):
        """`options` names a table of the schema; its members are passed as keywords."""
        key = (name, custom)
        if key not in self.codes:
            code = schema.OperatorCodeT()
            code.builtinCode = getattr(schema.BuiltinOperator, name)
            code.deprecatedBuiltinCode = min(code.builtinCode, 127)
            code.version, code.customCode = 1, custom
            self.codes[key] = len(self.model.operatorCodes)
            self.model.operatorCodes.append(code)
        made = schema.OperatorT()
        made.opcodeIndex, made.inputs, made.outputs = self.codes[key], list(inputs), list(outputs)
        if options:
            made.builtinOptionsType = getattr(schema.BuiltinOptions, options)
            made.builtinOptions = getattr(schema, options + "T")()
            for member, value in values.items():
                assert hasattr(made.builtinOptions, member), member
                setattr(made.builtinOptions, member, value)
        self.graph.operators.append(made)
        return made

    def version(self, name, number):
        for (known, _), index in self.codes.items():
            if known == name:
                self.model.operatorCodes[index].version = number

    def packed(self):
        packer = flatbuffers.Builder(1024)
        packer.Finish(self.model.Pack(packer), b"TFL3")
        return bytes(packer.Output())

    def finish(self, inputs, outputs):
        self.ends(inputs, outputs)
        return self.packed()

    def finish_apart(self, inputs, outputs):
        """Constants stored after the tables, as LiteRT writes them for quantised models."""
        self.ends(inputs, outputs)
        data = [bytes(buffer.data) for buffer in self.model.buffers[1:]]
        for buffer, contents in zip(self.model.buffers[1:], data):
            buffer.data, buffer.offset, buffer.size = None, 2, len(contents)
        at = len(self.packed())  # the numbers there do not change the length
        tail = b""
        for buffer, contents in zip(self.model.buffers[1:], data):
            tail += b"\0" * (-(at + len(tail)) % 16)
            buffer.offset = at + len(tail)
            tail += contents
        return self.packed() + tail
