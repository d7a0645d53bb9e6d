import pytest
from pydantic import ValidationError

from schema.sources.time_options import TimeOptions


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"timezone": "Berlin"}, "IANA database, as in \"Europe/Berlin\", received 'Berlin'"),
        ({"timezone": "../etc/passwd"}, "IANA database"),
        ({"timestamp_format": "%H:%M"}, "year, month and day"),
        ({"timestamp_format": "%Y-%m"}, "year, month and day"),
        ({"timestamp_format": "%Q"}, "pattern of strptime"),
        ({"timestamp_format": "day first"}, "year, month and day"),
        ({"timestamp_format": "rfc2822", "timestamp_unit": "ms"}, "received both"),
        ({"timestamp_unit": "minutes"}, "iso8601"),
        (
            {"timestamp_origin": "2020-01-01T00:00:00Z", "timestamp_unit": "iso8601"},
            "goes with numeric times, received timestamp_unit = 'iso8601'",
        ),
        ({"timestamp_origin": "2020-01-01T00:00:00"}, "timezone"),
    ],
)
def test_wrong_values_are_refused_in_a_sentence(keys, message):
    with pytest.raises(ValidationError) as refused:
        TimeOptions.model_validate(keys)
    assert message in str(refused.value)


@pytest.mark.parametrize(
    "keys",
    [
        {"timestamp_format": "rfc2822"},
        {"timestamp_format": "%d.%m.%y"},
        {"timestamp_format": "%j %Y"},
        {"timestamp_format": "%a %b %d %H:%M:%S %z %Y"},
        {"timestamp_unit": "iso8601", "timezone": "Europe/Berlin"},
    ],
)
def test_valid_values(keys):
    assert TimeOptions.model_validate(keys).model_dump(exclude_defaults=True) == keys
