"""Every operator with unusual parameters: the TFLite runtime against ONNX Runtime."""
import pytest

import cases
import cases_quantised
import cases_sequence
import compare

FLOAT_MAX = 1e-4  # relative to the largest value
STEPS_MAX = 1     # for a quantised output


@pytest.mark.parametrize("family", [*cases.ALL, *cases_quantised.ALL, *cases_sequence.ALL],
                         ids=lambda family: f"{family.__module__}.{family.__name__}")
def test_operator(tmp_path, family):
    wrong, seen = [], 0
    source = tmp_path / "model.tflite"
    for name, model, options in family():
        source.write_bytes(model)
        step = options.pop("steps_of", None)  # for a float that was quantised in between
        try:
            gap, converted = compare.same(source, tmp_path / "model.onnx", **options)
        except Exception as problem:  # all failures of a family are reported, not only the first
            wrong.append(f"{name}: {str(problem)[:300]}")
            continue
        seen += 1
        quantised = converted.graph.output[0].type.tensor_type.elem_type in (2, 3, 5)
        if gap > (STEPS_MAX if quantised else step or FLOAT_MAX):
            wrong.append(f"{name}: differs by {gap:g}")
    assert not wrong, f"{len(wrong)} of {seen + len(wrong)}:\n" + "\n".join(wrong)
