"""Mel spectrograms of librosa and torchaudio for tests/datasets/media_test.ts.
Run: python tests/golden/log_mel.py > tests/golden/log_mel.json  (librosa, torch, torchaudio, soundfile)"""
import base64, io, json
import librosa, numpy as np, soundfile, torch, torchaudio

rate = 8000
n = np.arange(900)
signal = (0.5 * np.sin(2 * np.pi * 440 * n / rate) + 0.2 * np.sin(2 * np.pi * (300 + 1.5 * n) * n / rate)
          + 0.05 * np.random.default_rng(0).normal(size=900)).astype("f4")
out = {"signal": [float(v) for v in signal], "cases": [], "wav": {}}


def flat(x):
    return [float(v) for v in np.asarray(x).T.reshape(-1)]


for fft, hop, bands, low, high in ((200, 80, 16, 0, 4000), (256, 100, 20, 60, 3800), (225, 90, 12, 0, 4000)):
    options = dict(rate=rate, fft=fft, hop=hop, bands=bands, low=low, high=high)
    mel = librosa.feature.melspectrogram(y=signal, sr=rate, n_fft=fft, hop_length=hop, n_mels=bands, fmin=low, fmax=high)
    out["cases"].append({"of": "librosa", "options": options, "power": flat(mel)})
    # Of an odd number of samples torchaudio's bins lie between those of the transform.
    if fft % 2 == 1:
        continue
    mel = torchaudio.transforms.MelSpectrogram(sample_rate=rate, n_fft=fft, hop_length=hop, n_mels=bands, f_min=low, f_max=high)
    out["cases"].append({"of": "torchaudio", "options": {**options, "scale": "htk", "norm": "none", "pad": "reflect"},
                         "power": flat(mel(torch.tensor(signal)))})

tone = np.array([[0.0, 0.5, -0.5, 0.25], [0.5, 0.5, -0.25, 0.75]]).T
for name in ("PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "MS_ADPCM"):
    b = io.BytesIO()
    soundfile.write(b, tone, rate, format="WAV", subtype=name)
    out["wav"][name] = base64.b64encode(b.getvalue()).decode()
b = io.BytesIO()
soundfile.write(b, tone, rate, format="WAVEX", subtype="PCM_16")
out["wav"]["extended"] = base64.b64encode(b.getvalue()).decode()
print(json.dumps(out))
