"""The options that Beam receives."""

from tfx.utils import dependency_utils

from pipeline.config.config import BeamConfig


def test_local_runs_pack_no_code():
    args = BeamConfig().pipeline_args
    assert args[:2] == ["--runner=FnApiRunner", "--direct_running_mode=in_memory"]
    assert dependency_utils.make_beam_dependency_flags(args) == args  # so that TFX adds no package


def test_other_runners_get_the_options_of_the_file():
    args = ["--flink_master=localhost:8081", "--setup_file=./setup.py"]
    config = BeamConfig(runner="FlinkRunner", args=args)
    assert config.pipeline_args == ["--runner=FlinkRunner", *args]
