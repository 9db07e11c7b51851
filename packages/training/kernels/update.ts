// Updates of a parameter in place, for WebAssembly SIMD: each element is read and written once. Every operation rounds to f32 in the
// order of the nodes that src/optimizer/optimizers.ts adds to a graph, so that both give the same bits.
//
// Every count is a multiple of 8: callers pad with zeros. Pointers are aligned to 16 bytes.

/** First address of the memory that callers may put their data in. */
export const base: usize = (__heap_base + 63) & ~63;

/** The gradient with weight decay: `gradient + parameter decay`. */
// @ts-ignore: decorator
@inline
function slopeAt(parameter: usize, gradient: usize, decay: f32): v128 {
  const slope = v128.load(gradient);
  return decay == 0 ? slope : f32x4.add(slope, f32x4.mul(v128.load(parameter), f32x4.splat(decay)));
}

/** Four elements of stochastic gradient descent without momentum. */
// @ts-ignore: decorator
@inline
function descend4(parameter: usize, gradient: usize, rate: v128, decay: f32): void {
  const slope = slopeAt(parameter, gradient, decay);
  v128.store(parameter, f32x4.sub(v128.load(parameter), f32x4.mul(slope, rate)));
}

/** Stochastic gradient descent. */
export function descend(parameter: usize, gradient: usize, count: i32, rate: f32, decay: f32): void {
  const rates = f32x4.splat(rate);
  for (let i: usize = 0; i < (<usize>count) << 2; i += 32) {
    descend4(parameter + i, gradient + i, rates, decay);
    descend4(parameter + i + 16, gradient + i + 16, rates, decay);
  }
}

/** Four elements of descent with momentum: the sum is `(momentum velocity + gradient) + parameter decay`. */
// @ts-ignore: decorator
@inline
function glide4(parameter: usize, gradient: usize, velocity: usize, rate: v128, momentum: v128, decay: f32): void {
  const before = v128.load(parameter);
  let moving = f32x4.add(f32x4.mul(v128.load(velocity), momentum), v128.load(gradient));
  if (decay != 0) moving = f32x4.add(moving, f32x4.mul(before, f32x4.splat(decay)));
  v128.store(velocity, moving);
  v128.store(parameter, f32x4.sub(before, f32x4.mul(moving, rate)));
}

/** Stochastic gradient descent with momentum. */
export function glide(
  parameter: usize,
  gradient: usize,
  velocity: usize,
  count: i32,
  rate: f32,
  decay: f32,
  momentum: f32,
): void {
  const rates = f32x4.splat(rate);
  const momenta = f32x4.splat(momentum);
  for (let i: usize = 0; i < (<usize>count) << 2; i += 32) {
    glide4(parameter + i, gradient + i, velocity + i, rates, momenta, decay);
    glide4(parameter + i + 16, gradient + i + 16, velocity + i + 16, rates, momenta, decay);
  }
}

/** Stochastic gradient descent with Nesterov momentum. */
export function lookAhead(
  parameter: usize,
  gradient: usize,
  velocity: usize,
  count: i32,
  rate: f32,
  decay: f32,
  momentum: f32,
): void {
  const rates = f32x4.splat(rate);
  const momenta = f32x4.splat(momentum);
  for (let i: usize = 0; i < (<usize>count) << 2; i += 16) {
    const slope = slopeAt(parameter + i, gradient + i, decay);
    const moving = f32x4.add(f32x4.mul(v128.load(velocity + i), momenta), slope);
    v128.store(velocity + i, moving);
    const ahead = f32x4.add(slope, f32x4.mul(moving, momenta));
    v128.store(parameter + i, f32x4.sub(v128.load(parameter + i), f32x4.mul(ahead, rates)));
  }
}

/** Adam, and AdamW by `kept`, the share of the parameter that its decay leaves; both moments as adamStep() scales them. */
export function adapt(
  parameter: usize,
  gradient: usize,
  first: usize,
  second: usize,
  count: i32,
  beta1: f32,
  beta2: f32,
  stepSize: f32,
  rootFloor: f32,
  decay: f32,
  kept: f32,
): void {
  const means = f32x4.splat(beta1);
  const squares = f32x4.splat(beta2);
  const scales = f32x4.splat(stepSize);
  const floors = f32x4.splat(rootFloor);
  const shares = f32x4.splat(kept);
  for (let i: usize = 0; i < (<usize>count) << 2; i += 16) {
    const slope = slopeAt(parameter + i, gradient + i, decay);
    const mean = f32x4.add(f32x4.mul(v128.load(first + i), means), slope);
    const square = f32x4.add(f32x4.mul(v128.load(second + i), squares), f32x4.mul(slope, slope));
    v128.store(first + i, mean);
    v128.store(second + i, square);
    const step = f32x4.mul(f32x4.div(mean, f32x4.add(f32x4.sqrt(square), floors)), scales);
    v128.store(parameter + i, f32x4.sub(f32x4.mul(v128.load(parameter + i), shares), step));
  }
}
