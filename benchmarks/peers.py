"""What Grad-CAM costs with Python's libraries, in forwards of the same eager network, in turn.

They hook Python modules, which a TorchScript archive has none of, so torchvision's eager networks of the same shapes
stand in for the archives. Prints a line for each library and network, and the versions.

peers.py scorecam: the time of torchcam's Score-CAM of 512 masks, for processes that take turns with camhook's.
"""

import importlib
import statistics
import sys
import time

import torch
import torchvision

NETWORKS = {"resnet18": "layer4", "mobilenet_v2": "features.18", "squeezenet1_1": "features.12"}
ROUNDS = 9


def seconds(work):
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def ratio(method, forward):
    pairs = [(seconds(forward), seconds(method)) for _ in range(ROUNDS + 2)][2:]
    return statistics.median(m for _, m in pairs) / statistics.median(f for f, _ in pairs)


def module(model, path):
    return dict(model.named_modules())[path]


def grad_cam(model, layer, image):
    from pytorch_grad_cam import GradCAM

    cam = GradCAM(model=model, target_layers=[module(model, layer)])
    return lambda: cam(input_tensor=image)


def torchcam(model, layer, image):
    from torchcam.methods import GradCAM

    cam = GradCAM(model, target_layer=module(model, layer))

    def run():
        scores = model(image)
        cam(scores.argmax(1).item(), scores)

    return run


def captum(model, layer, image):
    from captum.attr import LayerGradCam

    cam = LayerGradCam(model, module(model, layer))
    return lambda: cam.attribute(image, target=int(model(image).argmax(1)))


LIBRARIES = {"pytorch_grad_cam": grad_cam, "torchcam": torchcam, "captum": captum}


def scorecam():
    from torchcam.methods import ScoreCAM

    torch.manual_seed(1)
    model = torchvision.models.resnet18(weights=None).eval()
    image = torch.randn(1, 3, 224, 224)
    cam = ScoreCAM(model, target_layer=model.layer4)

    def run():
        with torch.inference_mode():
            scores = model(image)
            cam(scores.argmax(1).item(), scores)

    run()
    print(f"        {1e3 * min(seconds(run) for _ in range(3)):10.3f}  ms Score-CAM of 512 masks, torchcam")


def main():
    if sys.argv[1:] == ["scorecam"]:
        scorecam()
        return
    print("torch", torch.__version__, "torchvision", torchvision.__version__, "threads", torch.get_num_threads())
    for library, make in LIBRARIES.items():
        try:
            found = importlib.import_module(library)
        except ImportError:
            print(library, "is not installed in", sys.executable)
            continue
        print(library, getattr(found, "__version__", "unknown version"))
        for name, layer in NETWORKS.items():
            torch.manual_seed(1)
            image = torch.randn(1, 3, 224, 224)
            plain = getattr(torchvision.models, name)(weights=None).eval()

            def forward():
                with torch.inference_mode():
                    plain(image)

            hooked = getattr(torchvision.models, name)(weights=None).eval()
            hooked.load_state_dict(plain.state_dict())
            print(f"        {ratio(make(hooked, layer, image), forward):10.3f}  {library}, {name}, Grad-CAM at {layer} ÷ forward")


if __name__ == "__main__":
    main()
