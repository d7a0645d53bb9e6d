"""What every test stands on: Keras 2 before TensorFlow, and the shared data where it is there."""

import os

# Read when TensorFlow is first imported, so before any test module is.
os.environ["TF_USE_LEGACY_KERAS"] = "1"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import pathlib

import hypothesis
import pytest

# A busy machine is no defect of the code: pytest's own timeout ends what hangs.
hypothesis.settings.register_profile("tandem", deadline=None)
hypothesis.settings.load_profile("tandem")

ROOT = pathlib.Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared_data() -> pathlib.Path:
    """Folder of the public data sets: $TANDEM_DATA, else ../shared/data beside the checkout."""
    folder = pathlib.Path(os.environ.get("TANDEM_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"needs the public data sets: no folder {folder}, set TANDEM_DATA to theirs")
    return folder
