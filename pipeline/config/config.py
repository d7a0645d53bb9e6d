"""The whole configuration: one TOML file, typed and validated; unknown keys are rejected."""

import logging
import pathlib
import re
from typing import Annotated, Any, Literal

import tomli
from pydantic import AfterValidator, Field, ValidationError, model_validator

from pipeline.config.kubeflow import KubeflowConfig
from pipeline.config.renamed_keys import rename_keys
from schema.base import StrictModel
from schema.dataset import Dataset, require_filter, require_tables
from schema.errors import ConfigError
from schema.features import Features
from schema.labels import Labels
from schema.recommend import Recommend
from schema.sources import LATER_TABLES, Data
from schema.split import Split, require_fitting_split
from schema.storage.locations import LocalPath
from serving.config import IndexConfig, ServingConfig
from trainer.config.blessing import PERSONAL, RECENT, BlessingConfig, check_thresholds
from trainer.config.fairness import check_fairness_groups
from trainer.config.models import EvaluationConfig, RankingConfig, RetrievalConfig, TrainerConfig
from trainer.config.peers import PEERS
from trainer.config.tuning import TuneConfig

_log = logging.getLogger(__name__)


class BeamConfig(StrictModel):
    """How Beam runs the data stages."""

    runner: str = "FnApiRunner"
    """Beam runner by name; `FnApiRunner` is the local one."""
    args: list[str] = ["--direct_running_mode=in_memory"]
    """Further Beam pipeline arguments: see docs/BEAM.md."""

    @property
    def pipeline_args(self) -> list[str]:
        """Arguments of Beam's pipelines.

        Unless an argument states how workers get their code, TFX packages itself for them in each
        component, which takes four seconds each time. Local workers need no package; naming an
        image, which is never pulled, skips that.
        """
        args = [f"--runner={self.runner}", *self.args]
        return [*args, "--sdk_container_image=none"] if self.runner == "FnApiRunner" else args


TABLES = ("interactions", "items")
"""Tables that have a schema."""


class CuratedConfig(StrictModel):
    """Schemas that the data must match: TFDV `Schema` protos as text, see `tandem schema infer`."""

    interactions: LocalPath | None = None
    """Schema of the timelines, a file relative to the configuration file."""
    items: LocalPath | None = None
    """Schema of the catalogue, a file relative to the configuration file."""
    shipped: Literal["movielens-1m", "movietweetings", "simulated"] | None = None
    """Data set whose schemas Tandem includes; a file for a table overrides its schema."""
    default_drift: bool = True
    """Whether features that these schemas do not have are compared with the previous data by
    default thresholds (RECURRING.md); set it to false for one run after an intended change."""


def _check_name(name: str) -> str:
    if not re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", name):
        raise ValueError(
            "expected at most 63 characters of a to z, 0 to 9 and dashes, with no dash at either "
            f"end, received {name!r}; shorten or rename it"
        )
    return name


class Config(StrictModel):
    """One pipeline."""

    name: Annotated[str, AfterValidator(_check_name)]
    """Name of the pipeline: at most 63 characters of a to z, 0 to 9 and dashes, with no dash at
    either end, as Kubernetes and Kubeflow require."""
    seed: Annotated[int, Field(ge=0)] = 42
    """Seeds every random choice."""
    data: Data
    """Tables."""
    features: Features = Features()
    """Features by table."""
    labels: Labels = Labels()
    """Labels."""
    split: Split = Split()
    """Split by time."""
    recommend: Recommend = Recommend()
    """What may be recommended."""
    curated: CuratedConfig = CuratedConfig()
    """Curated schemas."""
    retrieval: RetrievalConfig = RetrievalConfig()
    """The two towers."""
    ranking: RankingConfig = RankingConfig()
    """The ranking stage."""
    trainer: TrainerConfig = TrainerConfig()
    """The hardware that both models are trained on."""
    index: IndexConfig = IndexConfig()
    """The nearest-neighbour index."""
    evaluation: EvaluationConfig = EvaluationConfig()
    """Evaluation."""
    blessing: BlessingConfig = BlessingConfig()
    """Rules that models must pass before they are pushed."""
    serving: ServingConfig = ServingConfig()
    """The embedded server."""
    beam: BeamConfig = BeamConfig()
    """Beam."""
    kubeflow: KubeflowConfig = KubeflowConfig()
    """Kubeflow Pipelines."""
    tune: TuneConfig = TuneConfig()
    """The search of `tandem tune`."""

    @model_validator(mode="after")
    def _check_feature_tables(self) -> "Config":
        require_tables(self.features, self.data)
        return self

    @model_validator(mode="after")
    def _check_split(self) -> "Config":
        require_fitting_split(self.data, self.split)
        return self

    @model_validator(mode="after")
    def _check_filter(self) -> "Config":
        require_filter(self.features, self.data)
        return self

    @model_validator(mode="after")
    def _check_fairness(self) -> "Config":
        check_fairness_groups(self.evaluation.fairness, self.features)
        return self

    @model_validator(mode="after")
    def _check_blessing(self) -> "Config":
        check_thresholds(self.blessing, self.labels.ranking)
        return self

    @model_validator(mode="after")
    def _check_warm_start(self) -> "Config":
        if self.retrieval.warm_start and not self.split.has_clock:
            raise ValueError(
                "retrieval.warm_start expects a split by time, received split.kind = "
                f"{self.split.kind!r}: the pushed version may have learned events of valid and "
                "test; set it to false"
            )
        return self

    @model_validator(mode="after")
    def _check_propensity_weights(self) -> "Config":
        if self.ranking.propensity_weights and not self.data.has_impressions:
            raise ValueError(
                "ranking.propensity_weights expects a log with data.interactions.impressions, "
                "received none: propensities are counted from them; set it to false"
            )
        return self

    @model_validator(mode="after")
    def _check_calibration(self) -> "Config":
        if self.recommend.calibration and self.data.items_filter is None:
            raise ValueError(
                "recommend.calibration expects data.items.filter, the feature whose categories "
                "lists follow, received none; name one, or set it to 0"
            )
        return self

    @model_validator(mode="after")
    def _check_repeats(self) -> "Config":
        repeats = self.recommend.repeats
        if repeats == "only" and self.index.kind not in ("auto", "exact"):
            raise ValueError(
                'recommend.repeats = "only" scores the items of the history exactly: expected '
                f'index.kind "auto" or "exact", received {self.index.kind!r}; remove index.kind'
            )
        if repeats == "exclude" and PERSONAL in [rule.baseline for rule in self.blessing.baselines]:
            raise ValueError(
                f"blessing.baselines expects {PERSONAL} only where items of the history may be "
                'recommended, received recommend.repeats = "exclude"; set it to "allow" or "only", '
                "or name another baseline"
            )
        return self

    @model_validator(mode="after")
    def _check_recent_baseline(self) -> "Config":
        compared = [rule.baseline for rule in self.blessing.baselines]
        if RECENT in compared and not self.data.interactions.has_times:
            raise ValueError(
                f"blessing.baselines expects {RECENT} only for events with times, received "
                "data.interactions without times; name another baseline"
            )
        return self

    @model_validator(mode="after")
    def _check_peers(self) -> "Config":
        compared = {rule.baseline for rule in self.blessing.baselines}
        missing = compared.intersection(PEERS).difference(self.evaluation.peers)
        for name in sorted(missing):
            raise ValueError(
                f"blessing.baselines expects {name} only if evaluation.peers has it, received "
                f"{self.evaluation.peers}; add it there, or name another baseline"
            )
        return self

    @property
    def dataset(self) -> Dataset:
        """The sections that describe the data and what may be recommended."""
        return Dataset.model_validate({name: getattr(self, name) for name in Dataset.model_fields})


def load_config(path: pathlib.Path, overrides: list[str] | None = None) -> Config:
    """Reads `path` and applies `section.key=value` overrides, each value in TOML's syntax or as
    bare text. Renamed keys of the previous release are logged.

    Raises ConfigError that names the file, the key, and what was expected and received.
    """
    try:
        table = _read_overridden(path, overrides)
        for old, new in rename_keys(table).items():
            _log.warning("configuration key %s is now %s; rename it in %s", old, new, path)
        return _resolve_paths(Config.model_validate(table), path.parent)
    except ValidationError as error:
        raise ConfigError(_describe_error(path, error)) from error


def read_toml(path: pathlib.Path, overrides: list[str] | None = None) -> dict[str, Any]:
    """The tables of `path` under the keys of this release, with overrides, not validated."""
    values = _read_overridden(path, overrides)
    rename_keys(values)
    return values


def _read_overridden(path: pathlib.Path, overrides: list[str] | None) -> dict[str, Any]:
    values = _read_file(path)
    for override in overrides or []:
        _apply_override(values, override)
    return values


def _resolve_paths(config: Config, folder: pathlib.Path) -> Config:
    """Curated schemas and the deny list belong to the configuration: their paths are relative to
    its folder, not to the data.
    """
    named = config.curated.model_dump(include=set(TABLES), exclude_none=True)
    values = {table: str((folder / name).absolute()) for table, name in named.items()}
    update: dict[str, Any] = {"curated": config.curated.model_copy(update=values)}
    if config.index.deny_list is not None:
        denied = str((folder / config.index.deny_list).absolute())
        update["index"] = config.index.model_copy(update={"deny_list": denied})
    return config.model_copy(update=update)


def _read_file(path: pathlib.Path) -> dict[str, Any]:
    try:
        return tomli.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(
            f"expected a configuration file at {path}, found none; give one with --config"
        ) from None
    except OSError as error:
        raise ConfigError(
            f"expected a readable configuration file at {path}, received: {error.strerror}; "
            "give the TOML file itself with --config"
        ) from error
    except (tomli.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not valid TOML: {error}; fix that line") from error


def _apply_override(table: dict[str, Any], override: str) -> None:
    key, equals, text = override.partition("=")
    if not equals or not key:
        raise ConfigError(
            f"--set expects section.key=value, received {override!r}; write it in that form"
        )
    *sections, name = key.strip().split(".")
    tables = [table]
    for section in sections:
        tables = [found for each in tables for found in _open_section(each, section, override)]
    for each in tables:
        each[name] = _parse_value(text.strip())


def _open_section(table: dict[str, Any], section: str, override: str) -> list[dict[str, Any]]:
    """The section, which is added if it is missing; of an array of tables, all of them."""
    found = table.setdefault(section, {})
    tables = found if isinstance(found, list) else [found]
    if not all(isinstance(each, dict) for each in tables):
        raise ConfigError(
            f"--set {override}: expected {section} to be a section, received a value; fix the key"
        )
    return tables


def _parse_value(text: str) -> Any:
    """`text` as a TOML value, or as bare text if it is none (`--set name=shop`)."""
    try:
        return tomli.loads(f"value = {text}")["value"]
    except tomli.TOMLDecodeError:
        return text


def _join_location(location: tuple[int | str, ...]) -> str:
    """The key as it is in the file: `data.items.1.path` for the second of `[[data.items]]`."""
    if location[:2] == ("data", LATER_TABLES) and len(location) > 3:
        kind, position, *rest = location[2:]
        location = ("data", kind, int(position) + 1, *rest)
    return ".".join(str(part) for part in location)


def _describe_error(path: pathlib.Path, error: ValidationError) -> str:
    first, *others = error.errors()
    key = _join_location(first["loc"])
    if first["type"] == "extra_forbidden":
        text = f"{path}: unknown key {key}; expected one of those in docs/CONFIG.md"
    elif first["type"] == "missing":
        text = f"{path}: key {key} is missing; add it (docs/CONFIG.md describes it)"
    elif first["type"] == "value_error":  # our own sentence, which names what was received
        message = first["msg"].removeprefix("Value error, ")
        text = f"{path}: {key or 'configuration'}: {message}"
    else:
        text = f"{path}: {key or 'configuration'}: {first['msg']}, received {first['input']!r}"
    return text + (f" (and {len(others)} more)" if others else "")
