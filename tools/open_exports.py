"""Opens what `armlab export-results --to` wrote with the tools that it is for, and compares it with the runs.

A development check, no test: `pip install tensorboard mlflow-skinny`, then

    deno task export-results --runs RUNS --to tensorboard --out events
    deno task export-results --runs RUNS --to mlflow --out mlruns
    python tools/open_exports.py RUNS events mlruns
"""

import json
import os
import pathlib
import sys

# MLflow 3 opens a file store only when it is told to.
os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import api_pb2, metadata, plugin_data_pb2


def runs_of(folder):
    found = {}
    for path in pathlib.Path(folder).glob("*/summary.json"):
        lines = (path.parent / "metrics.jsonl").read_text().splitlines()
        found[path.parent.name] = (
            json.loads((path.parent / "config.json").read_text()),
            json.loads(path.read_text()),
            [json.loads(line) for line in lines],
        )
    return found


def close(a, b):
    # Event files hold single precision.
    return abs(a - b) <= 1e-6 * max(1.0, abs(b))


def check_tensorboard(runs, folder):
    files = sorted(pathlib.Path(folder).glob("*/*/events.out.tfevents.*"))
    assert len(files) >= len(runs), (len(files), len(runs))
    scalars = 0
    for file in files:
        events = EventAccumulator(str(file))
        events.Reload()
        start = events.SummaryMetadata(metadata.SESSION_START_INFO_TAG).plugin_data
        assert start.plugin_name == "hparams"
        session = plugin_data_pb2.HParamsPluginData.FromString(start.content).session_start_info
        short = file.parent.name.split("-")[-1]
        own = [(config, summary, epochs) for name, (config, summary, epochs) in runs.items() if name.startswith(short)]
        if not own:
            continue
        config, summary, epochs = own[0]
        assert session.hparams["training.learningRate"].number_value == config["training"]["learningRate"]
        assert session.hparams["seed"].number_value == config["seed"]
        assert session.hparams["fusion"].string_value == config["fusion"]["name"]
        accuracy = events.Scalars("validation/accuracy")
        assert [point.step for point in accuracy] == [epoch["epoch"] + 1 for epoch in epochs]
        for point, epoch in zip(accuracy, epochs):
            assert close(point.value, epoch["validation"]["accuracy"])
        for point, epoch in zip(events.Scalars("loss/total"), epochs):
            assert close(point.value, epoch["loss"]["total"])
        tested = events.Scalars("test/accuracy")
        assert len(tested) == 1 and close(tested[0].value, summary["test"]["accuracy"])
        end = events.SummaryMetadata(metadata.SESSION_END_INFO_TAG).plugin_data
        ended = plugin_data_pb2.HParamsPluginData.FromString(end.content).session_end_info
        assert ended.status == api_pb2.Status.Value("STATUS_SUCCESS")
        scalars += sum(len(events.Scalars(tag)) for tag in events.Tags()["scalars"])
    print(f"tensorboard: {len(files)} runs, {scalars} scalars, as in the runs")


def check_mlflow(runs, folder):
    import mlflow
    from mlflow.tracking import MlflowClient

    client = MlflowClient(tracking_uri=pathlib.Path(folder).resolve().as_uri())
    (experiment,) = [own for own in client.search_experiments() if own.experiment_id != "0"]
    found = {run.info.run_id: run for run in client.search_runs([experiment.experiment_id])}
    metrics = 0
    for name, (config, summary, epochs) in runs.items():
        run = found[name]
        assert run.info.status == "FINISHED", run.info.status
        assert run.data.params["fusion"] == config["fusion"]["name"]
        assert float(run.data.params["training.learningRate"]) == config["training"]["learningRate"]
        assert run.data.metrics["test/accuracy"] == summary["test"]["accuracy"]
        history = client.get_metric_history(name, "validation/accuracy")
        assert [point.step for point in history] == [epoch["epoch"] + 1 for epoch in epochs]
        assert [point.value for point in history] == [epoch["validation"]["accuracy"] for epoch in epochs]
        assert run.info.run_name.endswith(f"seed {config['seed']}"), run.info.run_name
        metrics += len(run.data.metrics)
    print(f"mlflow {mlflow.__version__}: experiment {experiment.name}, {len(found)} runs, {metrics} metrics, as in the runs")


if __name__ == "__main__":
    all_runs = runs_of(sys.argv[1])
    assert all_runs, "no finished runs"
    check_tensorboard(all_runs, sys.argv[2])
    check_mlflow(all_runs, sys.argv[3])
