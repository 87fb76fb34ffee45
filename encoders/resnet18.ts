/**
 * ResNet-18.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { defineEncoder, type EncoderPlugin, type Stage } from "../core/kinds/mod.ts";
import type { Scope } from "../core/scope.ts";
import { batchNorm, conv2d, globalAveragePool, kaimingNormal, maxPool, zeros } from "../nn/mod.ts";

/** Options of `resnet18`. */
export interface Resnet18Options {
  readonly width: number;
  readonly smallInput: boolean;
  readonly zeroInitResidual: boolean;
}

const kernelInit = kaimingNormal("fanOut");

function convolution(scope: Scope, x: tf.Tensor, channels: number, kernel: number, stride: number): tf.Tensor {
  return conv2d(scope, x, { channels, kernel, stride, padding: (kernel - 1) / 2, bias: false, kernelInit });
}

/** Two 3×3 convolutions and a shortcut, projected where the shape changes. */
function basicBlock(scope: Scope, x: tf.Tensor, channels: number, stride: number, zeroInit: boolean): tf.Tensor {
  let y = convolution(scope.in("conv1"), x, channels, 3, stride);
  y = tf.relu(batchNorm(scope.in("bn1"), y));
  y = convolution(scope.in("conv2"), y, channels, 3, 1);
  y = batchNorm(scope.in("bn2"), y, zeroInit ? { scaleInit: zeros } : {});
  if (stride === 1 && x.shape[x.rank - 1] === channels) return tf.relu(tf.add(y, x));
  const projection = scope.in("downsample");
  const shortcut = batchNorm(projection.in("1"), convolution(projection.in("0"), x, channels, 1, stride));
  return tf.relu(tf.add(y, shortcut));
}

/**
 * ResNet-18 without its classifier: a stem and four stages of two basic blocks with 1, 2, 4 and 8 times `width` channels,
 * averaged over space. Every stage after the first halves the map.
 *
 * Parameters are named as torchvision's, so that its weights fit after the change of layout (`nn/torch.ts`). A clip
 * [T, h, w, c] goes frame by frame through the same weights and is averaged over time too; statistics of batch
 * normalisation run over all frames. The stem belongs to the first stage.
 */
export const resnet18: EncoderPlugin = defineEncoder<Resnet18Options>({
  name: "resnet18",
  tiny: { width: 2 },
  about: "residual network of 18 layers for images, spectrograms and clips, any number of channels",
  formula: `y = relu(x' + bn(conv(relu(bn(conv(x))))), x' = x or bn(conv1x1(x)); two such blocks in each of 4 stages
    f = mean of the last map over space (and time)`,
  source: "He et al., Deep Residual Learning, CVPR 2016; initialisation and names as in torchvision",
  options: {
    width: {
      type: "integer",
      default: 64,
      min: 1,
      tune: [16, 32, 64],
      about: "channels of the first stage; the feature has 8 times as many",
      source: "the paper",
    },
    smallInput: {
      type: "boolean",
      default: false,
      about: "3×3 stem of stride 1 without max-pooling, for inputs of about 32 pixels",
      source: "the paper's ImageNet stem; the small one as in its CIFAR models",
    },
    zeroInitResidual: {
      type: "boolean",
      default: false,
      about: "start every block as the identity: scale of its last normalisation 0",
      source: "Goyal et al., 2017",
    },
  },
  refuses: ({ shape, dtype }) =>
    dtype === "float32" && (shape.length === 3 || shape.length === 4)
      ? null
      : "it needs [height, width, channels] or [frames, height, width, channels] of numbers",
  create: ({ width, smallInput, zeroInitResidual }) => {
    const stem = (x: tf.Tensor, scope: Scope): tf.Tensor => {
      const y = smallInput
        ? convolution(scope.in("conv1"), x, width, 3, 1)
        : convolution(scope.in("conv1"), x, width, 7, 2);
      const z = tf.relu(batchNorm(scope.in("bn1"), y));
      return smallInput ? z : maxPool(z, { window: 3, stride: 2, padding: 1 });
    };
    const stages = [1, 2, 3, 4].map((level): Stage => (x, scope) => {
      const layer = scope.in(`layer${level}`);
      const channels = width * 2 ** (level - 1);
      const input = level === 1 ? stem(x, scope) : x;
      const y = basicBlock(layer.in("0"), input, channels, level === 1 ? 1 : 2, zeroInitResidual);
      return basicBlock(layer.in("1"), y, channels, 1, zeroInitResidual);
    });
    return { tokens: false, stages, head: (map) => ({ pooled: globalAveragePool(map) }) };
  },
});
