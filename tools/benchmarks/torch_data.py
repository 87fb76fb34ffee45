"""Samples a second of PyTorch's DataLoader with two workers on a folder of class/sample.{jpg,wav}; see data_bench.ts.
Run: python tools/benchmarks/torch_data.py FOLDER  (torch, torchvision, torchaudio)"""
import pathlib, sys, time, wave
import numpy as np, torch, torchaudio, torchvision

BATCH = 32


class Media(torch.utils.data.Dataset):
    """A picture and a log-mel spectrogram, each at mean 0 and deviation 1 by given numbers."""

    def __init__(self, root):
        self.pictures = sorted(pathlib.Path(root).glob("*/*.jpg"))
        self.mel = None

    def __len__(self):
        return len(self.pictures)

    def __getitem__(self, n):
        if self.mel is None:
            self.mel = torchaudio.transforms.MelSpectrogram(16000, n_fft=400, hop_length=160, n_mels=64, norm="slaney",
                                                            mel_scale="slaney", pad_mode="constant")
        path = self.pictures[n]
        picture = torchvision.io.decode_jpeg(torchvision.io.read_file(str(path))).float()
        with wave.open(str(path.with_suffix(".wav"))) as sound:
            signal = np.frombuffer(sound.readframes(sound.getnframes()), "<i2").astype("f4") / 32768
        power = torch.log(self.mel(torch.from_numpy(signal)) + 1e-6)
        return (picture - 120) / 60, (power + 5) / 3


def main(root):
    torch.set_num_threads(1)
    data = Media(root)
    # As many as the training split that armlab makes of the folder.
    data.pictures = data.pictures[: round(0.7 * len(data))]
    loader = torch.utils.data.DataLoader(data, batch_size=BATCH, num_workers=2, drop_last=True, persistent_workers=True)
    for epoch in range(3):
        started, count = time.perf_counter(), 0
        for pictures, _ in loader:
            count += len(pictures)
        rate = count / (time.perf_counter() - started)
    print(rate)


main(sys.argv[1])
