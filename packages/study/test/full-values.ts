/** Names of examples that stand-ins are opened for. */
export const [TRAIN, TEST, OTHER] = ["few:train", "few:test", "few:other"] as const;

const MNIST_MLP = new URL("../../../examples/mnist-mlp/", import.meta.url);

/** A network that is there. */
export const LOADED = {
  graph: new URL("graph.onnx", MNIST_MLP).pathname,
  checkpoint: new URL("s0.safetensors", MNIST_MLP).pathname,
};

/** An optimiser that is no default. */
export const SGD = { kind: "sgd", momentum: 0.5, weightDecay: 0.001 } as const;
/** A schedule that is no default. */
export const STEP = { kind: "step", learningRate: 0.03, every: 2, factor: 0.5, warmupSteps: 1 } as const;
/** A loss that is no default. */
export const SMOOTH = { kind: "cross-entropy", labelSmoothing: 0.1 } as const;
/** Changes of images that are no default. */
export const AUGMENT = { crop: 1, flip: true };
/** How something is trained, with no value that is a default. */
export const TRAINING = { batch: 3, optimizer: SGD, schedule: STEP };
/** Values that variables of networks must have. */
export const WHERE = { rate: 0.03, epochs: 2 };
