import pytest
from pydantic import ValidationError

from trainer.config.models import RetrievalConfig


@pytest.mark.parametrize("value", ["auto", 0, 3])
def test_refit_epochs_are_a_number_or_auto(value):
    assert RetrievalConfig(refit_epochs=value).refit_epochs == value


@pytest.mark.parametrize("value", ["atuo", -1, 2.5, True])
def test_other_refit_epochs_are_refused(value):
    with pytest.raises(ValidationError, match='expected "auto" or a whole number') as caught:
        RetrievalConfig(refit_epochs=value)
    (error,) = caught.value.errors()
    assert error["loc"] == ("refit_epochs",)
