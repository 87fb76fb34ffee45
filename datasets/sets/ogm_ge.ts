/**
 * How OGM-GE trains on the sets that it brought into the field.
 *
 * @module
 */
import type { PaperSettings } from "../../core/kinds/mod.ts";

/**
 * Settings of Peng et al., "Balanced Multimodal Learning via On-the-fly Gradient Modulation", CVPR 2022, and its released
 * code: ResNet-18, SGD with momentum .9, learning rate .001 and a tenth of it after 70 of 100 epochs, batches of 64.
 *
 * @param about What of its input differs here.
 */
export const ogmGeSettings = (about: string): PaperSettings => ({
  about: [
    "Peng et al. (OGM-GE), CVPR 2022, and its released code: ResNet-18, SGD, 100 epochs, a tenth of the rate after 70",
    about,
  ],
  encoder: { name: "resnet18", options: {} },
  training: {
    schedule: "step",
    stepAt: 0.7,
    momentum: 0.9,
    weightDecay: 1e-4,
    learningRate: 1e-3,
    batchSize: 64,
    epochs: 100,
  },
});
