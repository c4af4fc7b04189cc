"""What a graph of trees may be made of: only what `train` exports, so that no model file, wherever it came from, loops,
takes memory of its own or reads another file. Looked at whenever a graph is about to run for the first time."""

from typing import Any

OPERATORS = frozenset({"TreeEnsembleClassifier", "TreeEnsembleRegressor", "Cast", "ZipMap", "Identity"})


def why_not(graph: bytes) -> str:
    """What keeps it from being run; one clause, empty when it may."""
    import onnx  # not for those who score by points

    try:
        model = onnx.ModelProto.FromString(graph)
        onnx.checker.check_model(model)
    except Exception:  # the checker has many ways to say so
        return "树的文件不是 ONNX"
    foreign = sorted({node.op_type for node in model.graph.node} - OPERATORS)
    if foreign or model.functions:
        return f"树的文件里有不认识的算子：{'、'.join(foreign[:5]) or '自定义函数'}"
    if any(each.data_location for each in _tensors(model.graph)):
        return "树的文件要从别处读数据"
    return ""


def _tensors(graph: Any) -> list[Any]:
    sparse = [part for each in graph.sparse_initializer for part in (each.values, each.indices)]
    given = [attribute.t for node in graph.node for attribute in node.attribute]
    return [*graph.initializer, *sparse, *given]
