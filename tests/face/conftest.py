"""Pictures made from the example portraits, and a landmark model file made from the models inside mediapipe."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="session")
def ana() -> np.ndarray:
    """RGB [512, 512, 3]: one face, 119 px between the outer eye corners."""
    return np.asarray(Image.open(EXAMPLES / "ana.png").convert("RGB").reduce(2))


@pytest.fixture(scope="session")
def kofi() -> np.ndarray:
    """RGB [512, 512, 3]: one face, 119 px between the outer eye corners."""
    return np.asarray(Image.open(EXAMPLES / "kofi.png").convert("RGB").reduce(2))


@pytest.fixture
def saved(tmp_path) -> Callable[..., Path]:
    """Function that saves pixels (or a Pillow image) under a name and returns the path."""

    def save(pixels: np.ndarray | Image.Image, name: str = "picture.png", **options) -> Path:
        image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
        path = tmp_path / name
        image.save(path, **options)
        return path

    return save


@pytest.fixture(scope="session")
def task_file(tmp_path_factory) -> Path:
    """A `face_landmarker.task` bundle in the published layout, made of the models that mediapipe 0.10 ships.

    The published landmark model answers with 478 points at once; the one shipped knows 468, so ten of them are repeated
    in place of the irises, inside the network. The first 468 are therefore real and comparable.
    """
    import mediapipe
    from mediapipe.tasks.python.metadata.metadata_writers import model_asset_bundle_utils

    modules = Path(mediapipe.__file__).parent / "modules"
    detector = (modules / "face_detection/face_detection_short_range.tflite").read_bytes()
    mesh = _with_ten_points_more((modules / "face_landmark/face_landmark.tflite").read_bytes())
    path = tmp_path_factory.mktemp("model") / "face_landmarker.task"
    models = {
        "face_detector.tflite": _with_metadata(detector, 127.5, 127.5, 2),
        "face_landmarks_detector.tflite": _with_metadata(mesh, 0.0, 255.0, 2),
    }
    model_asset_bundle_utils.create_model_asset_bundle(models, str(path))
    return path


def _with_metadata(model: bytes, mean: float, deviation: float, n_outputs: int) -> bytes:
    """Return the model with the description of its input that the task API asks for."""
    from mediapipe.tasks.python.metadata.metadata_writers.metadata_writer import MetadataWriter

    writer = MetadataWriter.create(bytearray(model))
    writer.add_general_info("test", "test")
    writer.add_image_input([mean], [deviation])
    for _ in range(n_outputs):
        writer.add_feature_output()
    return bytes(writer.populate()[0])


def _with_ten_points_more(model: bytes) -> bytes:
    """Return the network with its first 30 coordinates repeated behind the 1404 of its first output."""
    import flatbuffers
    from mediapipe.tasks.metadata import schema_py_generated as schema

    network = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(model, 0))
    graph = network.subgraphs[0]

    def tensor(name: str, shape: list[int], kind: int, values: np.ndarray | None = None) -> int:
        new = schema.TensorT()
        new.name, new.shape, new.type, new.buffer = name, shape, kind, 0
        if values is not None:
            buffer = schema.BufferT()
            buffer.data = values.astype(np.int32).view(np.uint8)
            network.buffers.append(buffer)
            new.buffer = len(network.buffers) - 1
        graph.tensors.append(new)
        return len(graph.tensors) - 1

    def step(operator: int, inputs: list[int], output: int, kind: int, options: object) -> None:
        code, new = schema.OperatorCodeT(), schema.OperatorT()
        code.builtinCode = code.deprecatedBuiltinCode = operator
        network.operatorCodes.append(code)
        new.opcodeIndex, new.inputs, new.outputs = len(network.operatorCodes) - 1, inputs, [output]
        new.builtinOptionsType, new.builtinOptions = kind, options
        graph.operators.append(new)

    points = int(graph.outputs[0])
    begin = tensor("begin", [4], schema.TensorType.INT32, np.zeros(4))
    size = tensor("size", [4], schema.TensorType.INT32, np.array([1, 1, 1, 30]))
    ten = tensor("ten", [1, 1, 1, 30], schema.TensorType.FLOAT32)
    all_points = tensor("all_points", [1, 1, 1, 1434], schema.TensorType.FLOAT32)
    along = schema.ConcatenationOptionsT()
    along.axis = 3
    step(
        schema.BuiltinOperator.SLICE,
        [points, begin, size],
        ten,
        schema.BuiltinOptions.SliceOptions,
        schema.SliceOptionsT(),
    )
    step(
        schema.BuiltinOperator.CONCATENATION,
        [points, ten],
        all_points,
        schema.BuiltinOptions.ConcatenationOptions,
        along,
    )
    graph.outputs = [all_points, int(graph.outputs[1])]
    builder = flatbuffers.Builder(len(model) + 4096)
    builder.Finish(network.Pack(builder), b"TFL3")
    return bytes(builder.Output())
