"""YOLOv8-seg on the TFLite runtime, decoded with numpy, polish painted with OpenCV.

The usual implementation, without a handicap: XNNPACK threads, letterbox, boxes filtered before NMS,
masks only for the detections kept and only inside each box, float32 throughout.
"""
import threading
from time import perf_counter

import cv2
import numpy as np
from ai_edge_litert.interpreter import Interpreter


class Detector:
    def __init__(self, model, threads=0, score=0.25, iou=0.45, limit=32):
        self.score, self.iou, self.limit = score, iou, limit
        self.interpreter = Interpreter(model, num_threads=threads or None)
        self.interpreter.allocate_tensors()
        self.input = self.interpreter.get_input_details()[0]
        outputs = self.interpreter.get_output_details()
        self.rows = next(o["index"] for o in outputs if len(o["shape"]) == 3)
        self.proto = next(o["index"] for o in outputs if len(o["shape"]) == 4)
        self.height, self.width = (int(n) for n in self.input["shape"][1:3])
        self.lock = threading.Lock()  # one interpreter, one inference at a time

    def letterbox(self, picture):
        h, w = picture.shape[:2]
        scale = min(self.width / w, self.height / h)
        new_w, new_h = round(w * scale), round(h * scale)
        left, top = (self.width - new_w) // 2, (self.height - new_h) // 2
        if (new_w, new_h) != (w, h):
            picture = cv2.resize(picture, (new_w, new_h), interpolation=cv2.INTER_LINEAR)
        picture = cv2.copyMakeBorder(picture, top, self.height - new_h - top, left,
                                     self.width - new_w - left, cv2.BORDER_CONSTANT,
                                     value=(114, 114, 114))
        tensor = cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
        tensor = np.multiply(tensor, np.float32(1 / 255), dtype=np.float32)[np.newaxis]
        return tensor, scale, left, top

    def infer(self, tensor):
        with self.lock:
            self.interpreter.set_tensor(self.input["index"], tensor)
            self.interpreter.invoke()
            return (self.interpreter.get_tensor(self.rows)[0],
                    self.interpreter.get_tensor(self.proto)[0])

    def detect(self, picture):
        """Returns [(x, y, mask)]: masks are float32 0..1 crops of the picture at (x, y)."""
        tensor, scale, left, top = self.letterbox(picture)
        rows, proto = self.infer(tensor)
        classes = rows.shape[0] - 4 - proto.shape[2]
        scores = rows[4:4 + classes].max(axis=0)
        keep = np.flatnonzero(scores >= self.score)
        if keep.size == 0:
            return []
        boxes = rows[:4, keep].T.copy()
        if boxes.max() <= 2:  # some exports have 0..1
            boxes *= (self.width, self.height, self.width, self.height)
        boxes[:, :2] -= boxes[:, 2:] / 2
        chosen = cv2.dnn.NMSBoxes(boxes.tolist(), scores[keep].tolist(), self.score, self.iou)
        chosen = np.asarray(chosen, dtype=int).reshape(-1)[:self.limit]
        found = []
        for i in chosen:
            mask = self.mask(boxes[i], rows[4 + classes:, keep[i]], proto, picture.shape, scale,
                             left, top)
            if mask is not None:
                found.append(mask)
        return found

    def mask(self, box, coefficients, proto, shape, scale, left, top):
        step_x, step_y = self.width / proto.shape[1], self.height / proto.shape[0]
        # The box in the picture, and the prototypes' cells that it covers.
        x0, y0 = int(max((box[0] - left) / scale, 0)), int(max((box[1] - top) / scale, 0))
        x1 = int(min((box[0] + box[2] - left) / scale, shape[1]))
        y1 = int(min((box[1] + box[3] - top) / scale, shape[0]))
        if x1 <= x0 or y1 <= y0:
            return None
        px0, py0 = int((x0 * scale + left) / step_x), int((y0 * scale + top) / step_y)
        px1 = min(int(np.ceil((x1 * scale + left) / step_x)), proto.shape[1])
        py1 = min(int(np.ceil((y1 * scale + top) / step_y)), proto.shape[0])
        logits = proto[py0:py1, px0:px1] @ coefficients
        probability = 1 / (1 + np.exp(-logits))
        probability = cv2.resize(probability, (x1 - x0, y1 - y0), interpolation=cv2.INTER_LINEAR)
        return x0, y0, (probability >= 0.5).astype(np.float32)


class MaskDetector:
    """Lacquer's own network: one output with each pixel's probability of being nail."""

    def __init__(self, model, threads=0, limit=32, size=(384, 288)):
        self.limit, (self.width, self.height) = limit, size
        self.interpreter = Interpreter(model, num_threads=threads or None)
        self.input = self.interpreter.get_input_details()[0]["index"]
        self.interpreter.resize_tensor_input(self.input, (1, self.height, self.width, 3))
        self.interpreter.allocate_tensors()
        self.output = self.interpreter.get_output_details()[0]["index"]
        self.lock = threading.Lock()

    def infer(self, tensor):
        with self.lock:
            self.interpreter.set_tensor(self.input, tensor)
            self.interpreter.invoke()
            return self.interpreter.get_tensor(self.output)[0, :, :, 0]

    def detect(self, picture):
        h, w = picture.shape[:2]
        small = cv2.resize(picture, (self.width, self.height), interpolation=cv2.INTER_AREA)
        tensor = cv2.cvtColor(small, cv2.COLOR_BGR2RGB)
        tensor = np.multiply(tensor, np.float32(1 / 255), dtype=np.float32)[np.newaxis]
        probability = cv2.resize(self.infer(tensor), (w, h), interpolation=cv2.INTER_LINEAR)
        nail = (probability >= 0.5).astype(np.uint8)
        count, labels, stats, _ = cv2.connectedComponentsWithStats(nail, connectivity=8)
        largest = sorted(range(1, count), key=lambda i: -stats[i, cv2.CC_STAT_AREA])[:self.limit]
        found = []
        for i in largest:
            x, y, width, height, area = stats[i]
            if area >= 30:
                found.append((x, y, (labels[y:y + height, x:x + width] == i).astype(np.float32)))
        return found


def detector(model, threads, score, limit):
    """The decoder for the model's outputs."""
    masks = len(Interpreter(model).get_output_details()) == 1
    if masks:
        return MaskDetector(model, threads, limit)
    return Detector(model, threads, score, limit=limit)


def paint(picture, nails, color, texture=0.5, opacity=0.85):
    """Alpha blend of a flat colour that keeps a share of the nail's own shading."""
    bgr = np.array([int(color[i:i + 2], 16) for i in (5, 3, 1)], dtype=np.float32)
    for x, y, mask in nails:
        h, w = mask.shape
        alpha = cv2.GaussianBlur(mask, (5, 5), 0)[..., np.newaxis] * np.float32(opacity)
        region = picture[y:y + h, x:x + w]
        pixels = region.astype(np.float32)
        grey = cv2.cvtColor(region, cv2.COLOR_BGR2GRAY).astype(np.float32)
        mean = cv2.mean(grey, mask=(mask > 0).astype(np.uint8))[0] or 1.0
        shade = 1 + np.float32(texture) * (grey / np.float32(mean) - 1)
        polish = bgr * shade[..., np.newaxis]
        blended = pixels + alpha * (polish - pixels)
        np.clip(blended, 0, 255, out=blended)
        region[:] = blended.astype(np.uint8)


class Painter:
    def __init__(self, detector, quality=85):
        self.detector, self.quality = detector, quality

    def run(self, jpeg, color="#c71585", texture=0.5):
        """Takes JPEG bytes; returns painted JPEG bytes, nails found and milliseconds."""
        start = perf_counter()
        picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
        if picture is None:
            raise ValueError("not a picture")
        nails = self.detector.detect(picture)
        paint(picture, nails, color, texture)
        done, reply = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, self.quality])
        if not done:
            raise ValueError("cannot encode the picture")
        return reply.tobytes(), len(nails), (perf_counter() - start) * 1000
