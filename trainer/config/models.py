"""Hyper-parameters of the two trainers and of evaluation."""

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from schema.base import StrictModel
from trainer.config.fairness import FairnessConfig
from trainer.config.peers import Peer

PositiveInt = Annotated[int, Field(ge=1)]
PositiveFloat = Annotated[float, Field(gt=0)]
Fraction = Annotated[float, Field(ge=0, lt=1)]


class RetrievalConfig(StrictModel):
    """The two towers."""

    embedding_dim: PositiveInt = 64
    """Width of the vectors whose dot product is the score."""
    history_length: PositiveInt = 50
    """Latest events of a user that the query tower reads."""
    history: Literal["auto", "attention", "mean"] = "auto"
    """How the tower reads them: as the mean of the items' vectors plus causal self-attention over
    them, or as the mean alone. `auto`: with attention if at least half of train's users have three
    events or more; in shorter histories order says little."""
    attention_blocks: PositiveInt = 1
    """Number of stacked self-attention blocks."""
    attention_heads: PositiveInt = 1
    """Attention heads per block; each has `embedding_dim / attention_heads` dimensions."""
    epochs: PositiveInt = 16
    """Maximum number of passes over the training timelines."""
    patience: PositiveInt = 3
    """Epochs without an NDCG@10 on the validation split that is higher by more than its standard
    error, before training stops."""
    positions_per_batch: PositiveInt = 1024
    """Events per batch, padding included; at most as many in-batch negatives."""
    uniform_negatives: Annotated[int, Field(ge=0)] = 512
    """Negatives per batch that are drawn uniformly from the items that occur in training."""
    temperature: PositiveFloat = 0.2
    """Divides the dot products of the unit-length vectors, before training adapts it to the log."""
    learning_rate: PositiveFloat = 0.002
    """Learning rate of Adam."""
    sparse_updates_from: PositiveInt = 200_000
    """Catalogue size from which an Adam step updates only the embeddings that its batch touches: it
    is faster, and quality is slightly lower."""
    dropout: Fraction = 0.3
    """Dropout rate in attention and in the query tower's hidden layer."""
    id_dropout: Fraction = 0.3
    """Share of user and item ids hidden in training, so that new users and items get useful
    vectors."""
    user_ids: bool = False
    """Whether the query tower has an embedding of the user's id, in addition to the history and the
    user's features. It learns a user's taste by heart, and where users have few events it learns
    nothing else."""
    popularity_days: PositiveFloat = 112.0
    """Longest trailing window, in days, of the popularity in the score. The popularity of the
    coming days is forecast from this window and from shorter ones, each half as long as the one
    before; each user has one vote in each, split evenly over their events."""
    refresh_days: PositiveFloat = 5.0
    """Longest time, in days, between two refreshes of the served popularity; in training,
    popularity is up to this old. It is also the number of days that popularity is forecast for."""
    popularity_prior: bool | Literal["auto"] = "auto"
    """Whether popularity is part of the score. `auto`: if the log has times."""
    refit_epochs: Annotated[int, Field(ge=0)] | Literal["auto"] = "auto"
    """Passes over train and valid together, after the epoch is selected; the result is served.
    `auto` is as many as the selected epoch took; fewer are cheaper, and learn less of the latest
    events."""
    warm_start: bool = False
    """Starts training from the weights of the currently pushed version, as they were before its own
    `refit_epochs`, if those have learned no event of this run's valid split; see RECURRING.md. Only
    where `split.kind` is `clock` or `window`."""
    warm_epochs: PositiveInt = 3
    """Replaces `epochs` when training starts from a pushed version."""

    @field_validator("refit_epochs", mode="before")
    @classmethod
    def _check_refit_epochs(cls, value: object) -> object:
        is_number = isinstance(value, int) and not isinstance(value, bool) and value >= 0
        if not is_number and value != "auto":
            raise ValueError(
                f'expected "auto" or a whole number of at least 0, received {value!r}; '
                "0 serves the model of the best epoch"
            )
        return value

    @model_validator(mode="after")
    def _check_attention_heads(self) -> "RetrievalConfig":
        if self.embedding_dim % self.attention_heads:
            raise ValueError(
                f"attention_heads must divide embedding_dim = {self.embedding_dim}, "
                f"received {self.attention_heads}"
            )
        return self


class RankingConfig(StrictModel):
    """The ranking stage."""

    candidates: PositiveInt = 200
    """Number of retrieved items that are ranked."""
    negatives: PositiveInt = 12
    """Retrieved items that serve as negatives for each positive event in training."""
    max_events: PositiveInt = 200_000
    """Maximum number of latest events, in train and in valid each, that ranking learns from."""
    propensity_weights: bool = False
    """Multiplies the weight of each positive event by the inverse exposure propensity of its item,
    counted from impressions; see DATA.md. Only for a log with `impressions`."""
    id_dim: PositiveInt = 16
    """Width of ranking's own embeddings of user and item ids."""
    cross_layers: PositiveInt = 2
    """Number of DCN-v2 cross layers."""
    hidden_units: list[PositiveInt] = [64, 32]
    """Units of the dense layers after the cross layers."""
    dropout: Fraction = 0.3
    """Dropout rate of the input features."""
    epochs: PositiveInt = 10
    """Maximum number of passes over the training events."""
    batch_size: PositiveInt = 1024
    """Maximum number of events per batch, each with its negatives; in a log without a clock, few
    events are in smaller batches."""
    learning_rate: PositiveFloat = 0.001
    """Learning rate of Adam."""


class TrainerConfig(StrictModel):
    """The hardware that both models are trained on."""

    strategy: Literal["auto", "one", "mirrored", "multi_worker", "tpu"] = "auto"
    """`one` device; `mirrored` on all GPUs of a machine; `multi_worker` on several machines, named
    in `TF_CONFIG`; `tpu`. `auto` uses the devices that it finds."""
    mixed_precision: bool = False
    """Computes in bfloat16; weights, losses and exported models stay in float32."""
    xla: bool = False
    """Compiles the training step with XLA, on one device; batches are padded to a few shapes."""
    deterministic: bool = False
    """Computes with kernels that all x86 CPUs with AVX2 have, so that the same seed gives the same
    metrics on them; see TRAINING.md. Not with `xla`."""
    profile: bool = False
    """Traces steps 20 to 40 of the first epoch with TensorFlow's profiler, for TensorBoard."""

    @model_validator(mode="after")
    def _check_xla(self) -> "TrainerConfig":
        if self.deterministic and self.xla:
            raise ValueError(
                "deterministic expects xla = false, received true: XLA compiles for the CPU that "
                "it finds; set one of them to false"
            )
        return self


class EvaluationConfig(StrictModel):
    """What is measured, and the baselines for comparison."""

    recent_days: PositiveFloat = 7.0
    """Window of the `recent` popularity baseline, in days."""
    peers: list[Peer] = []
    """Further baselines, learned by the package implicit: `als` (alternating least squares) and
    `bpr` (Bayesian personalized ranking). They need `pip install 'tandem[peers]'`."""
    fairness: list[FairnessConfig] = []
    """Groups for which the lists should be equally good."""
