"""Recordings in every form, rates and spectrograms by soundfile, torchaudio and librosa for tests/datasets/sound_test.ts.
Run: python tests/golden/sound.py > tests/golden/sound.json  (librosa, torch, torchaudio, soundfile)"""
import base64, io, json
import librosa, numpy as np, soundfile, torch, torchaudio

rate = 16000
n = np.arange(6000)
tone = np.stack([0.5 * np.sin(2 * np.pi * 440 * n / rate), 0.25 * np.sin(2 * np.pi * (200 + 0.05 * n) * n / rate)], 1)
tone = tone.astype("f4")
out = {"rate": rate, "forms": {}, "resampled": [], "stft": []}
for name, options in {"flac": dict(format="FLAC"), "ogg": dict(format="OGG", subtype="VORBIS"),
                      "mp3": dict(format="MP3"), "opus": dict(format="OGG", subtype="OPUS")}.items():
    b = io.BytesIO()
    soundfile.write(b, tone, rate, **options)
    b.seek(0)
    decoded, own = soundfile.read(b, dtype="float32")
    out["forms"][name] = {"bytes": base64.b64encode(b.getvalue()).decode(), "rate": own, "size": len(decoded),
                          "mean": [float(v) for v in decoded.mean(1)[1000:1200]]}
short = tone[:900, 0]
out["signal"] = [float(v) for v in short]
for old, new in ((16000, 8000), (8000, 16000), (44100, 16000), (22050, 16000), (16000, 44100)):
    y = torchaudio.functional.resample(torch.tensor(short), old, new)
    out["resampled"].append({"from": old, "to": new, "signal": [float(v) for v in y]})
for fft, hop in ((400, 160), (225, 90)):
    power = np.abs(librosa.stft(short, n_fft=fft, hop_length=hop)) ** 2
    out["stft"].append({"of": "librosa", "options": {"fft": fft, "hop": hop},
                        "power": [float(v) for v in power.T.reshape(-1)]})
    power = torchaudio.transforms.Spectrogram(n_fft=fft, hop_length=hop)(torch.tensor(short))
    out["stft"].append({"of": "torchaudio", "options": {"fft": fft, "hop": hop, "pad": "reflect"},
                        "power": [float(v) for v in power.numpy().T.reshape(-1)]})
print(json.dumps(out))
