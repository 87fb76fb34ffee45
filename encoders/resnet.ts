/**
 * Residual networks of 18, 34 and 50 layers.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { defineEncoder, type EncoderPlugin, type Stage } from "../core/kinds/mod.ts";
import type { Scope } from "../core/scope.ts";
import { batchNorm, conv2d, globalAveragePool, kaimingNormal, maxPool, zeros } from "../nn/mod.ts";

/** Options of `resnet18`, `resnet34` and `resnet50`. */
export interface ResnetOptions {
  readonly width: number;
  readonly smallInput: boolean;
  readonly zeroInitResidual: boolean;
}

const kernelInit = kaimingNormal("fanOut");

function convolution(scope: Scope, x: tf.Tensor, channels: number, kernel: number, stride: number): tf.Tensor {
  return conv2d(scope, x, { channels, kernel, stride, padding: (kernel - 1) / 2, bias: false, kernelInit });
}

/** The shortcut of a block: x, or projected where the shape changes. */
function shortcut(scope: Scope, x: tf.Tensor, channels: number, stride: number): tf.Tensor {
  if (stride === 1 && x.shape[x.rank - 1] === channels) return x;
  const projection = scope.in("downsample");
  return batchNorm(projection.in("1"), convolution(projection.in("0"), x, channels, 1, stride));
}

/** Adds a residual branch to a shortcut. */
type Block = (scope: Scope, x: tf.Tensor, channels: number, stride: number, zeroInit: boolean) => tf.Tensor;

/** Two 3×3 convolutions. */
const basic: Block = (scope, x, channels, stride, zeroInit) => {
  let y = convolution(scope.in("conv1"), x, channels, 3, stride);
  y = tf.relu(batchNorm(scope.in("bn1"), y));
  y = convolution(scope.in("conv2"), y, channels, 3, 1);
  y = batchNorm(scope.in("bn2"), y, zeroInit ? { scaleInit: zeros } : {});
  return tf.relu(tf.add(y, shortcut(scope, x, channels, stride)));
};

/** How many times more channels leave a bottleneck than its 3×3 convolution has. */
const EXPANSION = 4;

/** 1×1, 3×3 and 1×1 convolutions; the stride is the middle one's, as in torchvision. */
const bottleneck: Block = (scope, x, channels, stride, zeroInit) => {
  let y = convolution(scope.in("conv1"), x, channels, 1, 1);
  y = tf.relu(batchNorm(scope.in("bn1"), y));
  y = convolution(scope.in("conv2"), y, channels, 3, stride);
  y = tf.relu(batchNorm(scope.in("bn2"), y));
  y = convolution(scope.in("conv3"), y, EXPANSION * channels, 1, 1);
  y = batchNorm(scope.in("bn3"), y, zeroInit ? { scaleInit: zeros } : {});
  return tf.relu(tf.add(y, shortcut(scope, x, EXPANSION * channels, stride)));
};

/**
 * A ResNet without its classifier: a stem and four stages of blocks with 1, 2, 4 and 8 times `width` channels (times 4 where
 * blocks are bottlenecks), averaged over space. Every stage after the first halves the map.
 *
 * Parameters are named as torchvision's, so that its weights fit after the change of layout (`nn/torch.ts`). A film
 * [T, h, w, c] goes frame by frame through the same weights and its feature is the mean of its frames'; statistics of batch
 * normalisation run over all frames. The stem belongs to the first stage.
 */
function resnet(layers: 18 | 34 | 50, block: Block, counts: readonly number[]): EncoderPlugin {
  return defineEncoder<ResnetOptions>({
    name: `resnet${layers}`,
    // That many normalisations of small batches magnify rounding, unless blocks start as the identity on larger maps.
    tiny: layers === 18 ? { width: 2 } : { width: 2, smallInput: true, zeroInitResidual: true },
    about: `residual network of ${layers} layers for images, spectrograms and films, any number of channels`,
    formula: block === basic
      ? `y = relu(x' + bn(conv(relu(bn(conv(x))))), x' = x or bn(conv1x1(x)); ${
        counts.join(", ")
      } such blocks in 4 stages
    f = mean of the last map over space (and time)`
      : `y = relu(x' + bn(conv1x1(relu(bn(conv(relu(bn(conv1x1(x)))))))), x' = x or bn(conv1x1(x))
    ${counts.join(", ")} such blocks in 4 stages;  f = mean of the last map over space (and time)`,
    source: "He et al., Deep Residual Learning, CVPR 2016; initialisation and names as in torchvision",
    options: {
      width: {
        type: "integer",
        default: 64,
        min: 1,
        tune: [16, 32, 64],
        about: `channels of the first stage; the feature has ${block === basic ? 8 : 32} times as many`,
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
      const stages = counts.map((count, level): Stage => (x, scope) => {
        const layer = scope.in(`layer${level + 1}`);
        let y = level === 0 ? stem(x, scope) : x;
        for (let index = 0; index < count; index++) {
          const stride = level > 0 && index === 0 ? 2 : 1;
          y = block(layer.in(String(index)), y, width * 2 ** level, stride, zeroInitResidual);
        }
        return y;
      });
      return { tokens: false, stages, head: (map) => ({ pooled: globalAveragePool(map) }) };
    },
  });
}

/** ResNet-18: two basic blocks a stage. */
export const resnet18: EncoderPlugin = resnet(18, basic, [2, 2, 2, 2]);
/** ResNet-34: three to six basic blocks a stage. */
export const resnet34: EncoderPlugin = resnet(34, basic, [3, 4, 6, 3]);
/** ResNet-50: three to six bottlenecks a stage. */
export const resnet50: EncoderPlugin = resnet(50, bottleneck, [3, 4, 6, 3]);
