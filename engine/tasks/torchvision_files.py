"""The files of torchvision's data sets for classification: addresses, checksums, folders.

As in torchvision's sources; tests/tasks/test_torchvision_sets.py compares them.
"""

from __future__ import annotations

from clr_tui.engine.tasks.published import PublishedFile

Files = tuple[PublishedFile, ...]
_VGG = "https://www.robots.ox.ac.uk/~vgg/data/"
_GTSRB = "https://sid.erda.dk/public/archives/daaeac0d7ce1152aea9b61d9f1e19370/"
_LIBSVM = "https://www.csie.ntu.edu.tw/~cjlin/libsvmtools/datasets/multiclass/"
_QMNIST = "https://raw.githubusercontent.com/facebookresearch/qmnist/master/"


def _archive(url: str, md5: str, gives: str, into: str = "", inner: str = "") -> Files:
    return (PublishedFile(url, md5, into, gives, inner),)


def _plain(url: str, md5: str, into: str = "") -> Files:
    return (PublishedFile(url, md5, into),)


def _mnist(folder: str, sites: tuple[str, ...], *sums: str) -> Files:
    """The four files of MNIST, or of a set in its format."""
    names = ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")
    return tuple(
        PublishedFile(
            f"{sites[0]}{name}-ubyte.gz",
            md5,
            f"{folder}/raw",
            f"{name}-ubyte",
            mirror=f"{sites[1]}{name}-ubyte.gz" if len(sites) > 1 else "",
        )
        for name, md5 in zip(names, sums, strict=True)
    )


_EMNIST = _archive(
    "https://biometrics.nist.gov/cs_links/EMNIST/gzip.zip",
    "58c8d27c78d21e728a6bc7b3cc06412e",
    "emnist-balanced-train-images-idx3-ubyte",
    "EMNIST/raw",
    "gzip/*.gz",
)
FILES: dict[str, Files] = {
    "caltech101": _archive(
        "https://data.caltech.edu/records/mzrjq-6wc02/files/caltech-101.zip",
        "3138e1922a9193bfa496528edbbc45d0",
        "101_ObjectCategories",
        "caltech101",
        "caltech-101/*.gz",
    ),
    "caltech256": _archive(
        "https://data.caltech.edu/records/nyy15-4j048/files/256_ObjectCategories.tar",
        "67b4f42ca05d46448c6bb8ecd2220f6d",
        "256_ObjectCategories",
        "caltech256",
    ),
    "cifar10": _archive(
        "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
        "c58f30108f718f92721af3b95e74349a",
        "cifar-10-batches-py",
    ),
    "cifar100": _archive(
        "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz",
        "eb9058c3a382ffc7106e4002c42a8d85",
        "cifar-100-python",
    ),
    "country211": _archive(
        "https://openaipublic.azureedge.net/clip/data/country211.tgz",
        "84988d7644798601126c29e9877aab6a",
        "country211",
    ),
    "dtd": _archive(
        f"{_VGG}dtd/download/dtd-r1.0.1.tar.gz",
        "fff73e5086ae6bdbea199a49dfb8a4c1",
        "dtd",
        "dtd",
    ),
    "emnist": _EMNIST,
    "emnist-letters": _EMNIST,
    "emnist-byclass": _EMNIST,
    "eurosat": _archive(
        "https://huggingface.co/datasets/torchgeo/eurosat/resolve/"
        "c877bcd43f099cd0196738f714544e355477f3fd/EuroSAT.zip",
        "c8fa014336c82ac7804f0398fcb19387",
        "2750",
        "eurosat",
    ),
    "fashion-mnist": _mnist(
        "FashionMNIST",
        ("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",),
        "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
        "25c81989df183df01b3e8a0aad5dffbe",
        "bef4ecab320f06d8554ea6380940ec79",
        "bb300cfdad3c16e7a12a480ee83cd310",
    ),
    "fgvc-aircraft": _archive(
        f"{_VGG}fgvc-aircraft/archives/fgvc-aircraft-2013b.tar.gz",
        "",
        "fgvc-aircraft-2013b",
    ),
    "flowers102": (
        *_archive(
            f"{_VGG}flowers/102/102flowers.tgz",
            "52808999861908f626f3c1f4e79d11fa",
            "jpg",
            "flowers-102",
        ),
        *_plain(
            f"{_VGG}flowers/102/imagelabels.mat",
            "e0620be6f572b9609742df49c70aed4d",
            "flowers-102",
        ),
        *_plain(f"{_VGG}flowers/102/setid.mat", "a5357ecc9cb78c4bef273ce3793fc85c", "flowers-102"),
    ),
    "food101": _archive(
        "http://data.vision.ee.ethz.ch/cvl/food-101.tar.gz",
        "85eeb15f3717b99a5da872d97d918f87",
        "food-101",
    ),
    "gtsrb": (
        *_archive(
            f"{_GTSRB}GTSRB-Training_fixed.zip",
            "513f3c79a4c5141765e10e952eaa2478",
            "GTSRB/Training",
            "gtsrb",
        ),
        *_archive(
            f"{_GTSRB}GTSRB_Final_Test_Images.zip",
            "c7e4e6327067d32654124b0fe9e82185",
            "GTSRB/Final_Test",
            "gtsrb",
        ),
        *_archive(
            f"{_GTSRB}GTSRB_Final_Test_GT.zip",
            "fe31e9c9270bbcd7b84b7f21a9d9d9e5",
            "GT-final_test.csv",
            "gtsrb",
        ),
    ),
    "imagenette": _archive(
        "https://s3.amazonaws.com/fast-ai-imageclas/imagenette2.tgz",
        "fe2fc210e6bb7c5664d602c3cd71e612",
        "imagenette2",
    ),
    "kmnist": _mnist(
        "KMNIST",
        ("http://codh.rois.ac.jp/kmnist/dataset/kmnist/",),
        "bdb82020997e1d708af4cf47b453dcf7",
        "e144d726b3acfaa3e44228e80efcd344",
        "5c965bf0a639b31b8f53240b1b52f4d7",
        "7320c461ea6c1c855c0b718fb2a4b134",
    ),
    "mnist": _mnist(
        "MNIST",
        ("https://ossci-datasets.s3.amazonaws.com/mnist/", "http://yann.lecun.com/exdb/mnist/"),
        "f68b3c2dcbeaaa9fbdd348bbdeb94873",
        "d53e105ee54ea40749a09fcbcd1e9432",
        "9fb629c4189551a2d022fa330f9573f3",
        "ec29112dd5afa0611ce80d1b7f02629c",
    ),
    "oxford-iiit-pet": (
        *_archive(
            f"{_VGG}pets/data/images.tar.gz",
            "5c4f3ee8e5d25df40f4fd59a7f44e54c",
            "images",
            "oxford-iiit-pet",
        ),
        *_archive(
            f"{_VGG}pets/data/annotations.tar.gz",
            "95a8c909bbe2e81eed6a22bccdf3f68f",
            "annotations",
            "oxford-iiit-pet",
        ),
    ),
    "qmnist": tuple(
        PublishedFile(f"{_QMNIST}{name}.gz", md5, "QMNIST/raw", name)
        for name, md5 in (
            ("qmnist-train-images-idx3-ubyte", "ed72d4157d28c017586c42bc6afe6370"),
            ("qmnist-train-labels-idx2-int", "0058f8dd561b90ffdd0f734c6a30e5e4"),
            ("qmnist-test-images-idx3-ubyte", "1394631089c404de565df7b7aeaf9412"),
            ("qmnist-test-labels-idx2-int", "5b5b05890a5e13444e108efe57b788aa"),
        )
    ),
    "rendered-sst2": _archive(
        "https://openaipublic.azureedge.net/clip/data/rendered-sst2.tgz",
        "2384d08e9dcfa4bd55b324e610496ee5",
        "rendered-sst2",
    ),
    "semeion": _plain(
        "http://archive.ics.uci.edu/ml/machine-learning-databases/semeion/semeion.data",
        "cb545d371d2ce14ec121470795a77432",
    ),
    "stl10": _archive(
        "http://ai.stanford.edu/~acoates/stl10/stl10_binary.tar.gz",
        "91f7769df0f17e558f3565bffb0c7dfb",
        "stl10_binary",
    ),
    "sun397": _archive(
        "http://vision.princeton.edu/projects/2010/SUN/SUN397.tar.gz",
        "8ca2778205c41d23104230ba66911c7a",
        "SUN397",
    ),
    "svhn": (
        *_plain(
            "http://ufldl.stanford.edu/housenumbers/train_32x32.mat",
            "e26dedcc434d2e4c54c9b2d4a06d8373",
        ),
        *_plain(
            "http://ufldl.stanford.edu/housenumbers/test_32x32.mat",
            "eb5a983be6a315427106f1b164d9cef3",
        ),
    ),
    "usps": (
        *_plain(f"{_LIBSVM}usps.bz2", "ec16c51db3855ca6c91edd34d0e9b197"),
        *_plain(f"{_LIBSVM}usps.t.bz2", "8ea070ee2aca1ac39742fdd1ef5ed118"),
    ),
}
"""By the name of the set."""
