"""test_format.py - a recorded file as stock h5py sees it: every dataset, type and attribute."""

import json
import os

import gradtrace
import h5py
import numpy
import torch
from harness import Case, loss_of, model, text, train

T, P = 9, 6  # steps; parameters of harness.model()
CAPTURED = [3, 4, 5]


class Format(Case):
    def setUp(self):
        super().setUp()
        self.net = model()
        train(
            self.net,
            T,
            self.path(),
            elements="full",
            first=CAPTURED[0],
            last=CAPTURED[-1],
            total_steps=100,
            group_by="layer",
            meta={"max_grad_norm": 1.0, "note": "größer"},
        )

    def test_root_attributes(self):
        _, head = self.read()
        self.assertEqual(head["format"], "gradtrace")
        self.assertEqual(head["format_version"], 1)
        self.assertTrue(head["producer"].startswith("gradtrace"), head["producer"])
        self.assertEqual(head["reduction"], "none")
        self.assertEqual(head["grad_state"], "pre-clip")
        self.assertEqual((head["rank"], head["world_size"]), (0, 1))
        self.assertEqual(head["total_steps"], 100)
        meta = json.loads(head["meta"])
        self.assertEqual(meta["max_grad_norm"], 1.0)
        self.assertEqual(meta["note"], "größer")
        self.assertEqual(meta["torch"], torch.__version__)
        self.assertEqual(meta["dtype"], "f32")
        self.assertIn("run.py", meta["command"])
        self.assertEqual(meta["optimizer"]["class"], "AdamW")
        self.assertEqual(meta["optimizer"]["betas"], [0.9, 0.999])
        self.assertEqual(meta["optimizer"]["eps"], 1e-8)
        self.assertEqual(meta["optimizer"]["weight_decay"], 0.01)
        self.assertEqual(meta["optimizer"]["lr"], 0.01)

    def test_parameters(self):
        arrays, _ = self.read()
        parameters = list(self.net.named_parameters())
        names = [name.decode() for name in arrays["/param/name"]]
        shapes = [shape.decode() for shape in arrays["/param/shape"]]
        self.assertEqual(names, [name for name, _ in parameters])
        self.assertEqual(shapes, ["x".join(map(str, p.shape)) for _, p in parameters])
        self.assertEqual(list(arrays["/param/numel"]), [p.numel() for _, p in parameters])
        self.assertEqual([d.decode() for d in arrays["/param/dtype"]], ["f32"] * P)

    def test_types_and_shapes(self):
        wanted = {
            "/param/numel": ("uint64", (P,)),
            "/step/index": ("int64", (T,)),
            "/step/loss": ("float64", (T,)),
            "/step/lr": ("float64", (T,)),
            "/step/time": ("float64", (T,)),
            "/step/applied_scale": ("float64", (T,)),
            "/step/skipped": ("uint8", (T,)),
            "/norm/sumsq": ("float64", (T, P)),
            "/norm/maxabs": ("float32", (T, P)),
            "/norm/nonfinite": ("uint64", (T, P)),
            "/grad/step": ("int64", (len(CAPTURED),)),
        }
        for i, parameter in enumerate(self.net.parameters()):
            wanted[f"/grad/{i}"] = ("float32", (len(CAPTURED), parameter.numel()))
        with h5py.File(self.path(), "r") as file:
            for path, (dtype, shape) in wanted.items():
                self.assertEqual((file[path].dtype.name, file[path].shape), (dtype, shape), path)
            for path in ("name", "shape", "dtype", "group"):
                kind = h5py.check_string_dtype(file["/param/" + path].dtype)
                self.assertIsNotNone(kind.length, path)  # fixed, not variable
                self.assertEqual(kind.encoding, "utf-8", path)
            names = []
            file.visititems(lambda path, item: names.append("/" + path))
        datasets = {name for name in names if name.count("/") == 2}
        texts = {"/param/name", "/param/shape", "/param/dtype", "/param/group"}
        self.assertEqual(datasets, set(wanted) | texts)

    def test_steps_can_grow_and_only_stock_filters_are_used(self):
        with h5py.File(self.path(), "r") as file:
            for path in ("/norm/sumsq", "/norm/maxabs", "/norm/nonfinite", "/step/index"):
                self.assertIsNone(file[path].maxshape[0], path)
            for group in ("norm", "step", "param", "grad"):
                for name, dataset in file[group].items():
                    creation = dataset.id.get_create_plist()
                    codes = {creation.get_filter(k)[0] for k in range(creation.get_nfilters())}
                    allowed = {h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_SHUFFLE}
                    self.assertLessEqual(codes, allowed | {h5py.h5z.FILTER_FLETCHER32}, name)

    def test_attributes_of_elements(self):
        with h5py.File(self.path(), "r") as file:
            self.assertEqual(list(file["/grad/step"]), CAPTURED)
            for i, (name, _) in enumerate(self.net.named_parameters()):
                attributes = file[f"/grad/{i}"].attrs
                self.assertEqual(text(attributes["name"]), name)
                self.assertEqual(text(attributes["dtype"]), "f32")
                self.assertEqual(text(attributes["sampling"]), "full")

    def test_elements_give_back_the_norms(self):
        arrays, _ = self.read()
        for i in range(P):
            for s, row in enumerate(CAPTURED):
                elements = arrays[f"/grad/{i}"][s].astype(numpy.float64)
                exact = float((elements**2).sum())
                self.assertLess(abs(arrays["/norm/sumsq"][row, i] - exact), 1e-14 * exact)
                self.assertEqual(arrays["/norm/maxabs"][row, i], numpy.abs(elements).max())


class Head(Case):
    """What the caller says about the run."""

    def head(self, optimizer=None, **options):
        net = model()
        loss_of(net, 0).backward()
        with gradtrace.Recorder(
            net, self.path(), optimizer=optimizer and optimizer(net), **options
        ) as recorder:
            recorder.step()
        return self.read()[1]

    def test_rank_and_reduction(self):
        head = self.head(rank=3, world_size=8, reduction="mean", grad_state="unknown")
        self.assertEqual((head["rank"], head["world_size"]), (3, 8))
        self.assertEqual((head["reduction"], head["grad_state"]), ("mean", "unknown"))

    def test_parameter_groups_that_differ_are_all_kept(self):
        def optimizer(net):
            groups = [
                {"params": [net[0].weight, net[3].weight], "weight_decay": 0.1},
                {"params": [net[0].bias, net[3].bias, *net[2].parameters()], "weight_decay": 0.0},
            ]
            return torch.optim.AdamW(groups, lr=2e-3, betas=(0.8, 0.95), eps=1e-6)

        settings = json.loads(self.head(optimizer)["meta"])["optimizer"]
        self.assertEqual(settings["betas"], [0.8, 0.95])
        self.assertEqual([g["weight_decay"] for g in settings["param_groups"]], [0.1, 0.0])

    def test_what_the_caller_says_in_meta_wins(self):
        meta = json.loads(self.head(meta={"command": "train.sh", "dtype": "tf32"})["meta"])
        self.assertEqual((meta["command"], meta["dtype"]), ("train.sh", "tf32"))

    def test_the_rank_goes_into_the_path(self):
        net = model()
        loss_of(net, 0).backward()
        for rank in (0, 1):
            path = self.path("run.{rank}.h5")
            with gradtrace.Recorder(net, path, rank=rank, world_size=2) as recorder:
                recorder.step()
        self.assertEqual(sorted(os.listdir(self.folder)), ["run.0.h5", "run.1.h5"])
        for rank in (0, 1):
            self.assertEqual(self.read(f"run.{rank}.h5")[1]["rank"], rank)
