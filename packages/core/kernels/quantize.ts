// Kernels that quantise rows of f32 to the blocks of GGUF, for WebAssembly: bit for bit what llama.cpp's
// reference does, whose operations and their order these are (ggml/src/ggml-quants.c, MIT License, Copyright (c)
// 2023-2026 The ggml authors), as rounding depends on both. Products are rounded before they are added, as in the
// C code on machines and by compilers that do not fuse the two.
//
// "Importance" is a weight for each column of a row, from an importance matrix; 0 stands for none.

/** First address of the memory that callers may put their data in. */
export const base: usize = (__heap_base + 15) & ~15;

/** Numbers of the types in a file, `enum ggml_type`. */
const Q4_0 = 2;
const Q4_1 = 3;
const Q5_0 = 6;
const Q5_1 = 7;
const Q8_0 = 8;
const Q2_K = 10;
const Q3_K = 11;
const Q4_K = 12;
const Q5_K = 13;
const Q6_K = 14;
const IQ4_NL = 20;
const IQ4_XS = 23;

/** Magnitude below which a group counts as zeros. */
const NEGLIGIBLE: f32 = 1e-15;

/** Levels of the elements of a block, one byte each. */
const LEVELS: usize = memory.data(256, 16);
/** Levels of a group that are tried. */
const TRIED: usize = memory.data(32, 16);
/** Weights of the elements of a group. */
const WEIGHTS: usize = memory.data(128, 16);
/** Scale, minimum and weight of each group of a block. */
const SCALES: usize = memory.data(64, 16);
const MINIMA: usize = memory.data(64, 16);
const SHARES: usize = memory.data(64, 16);
/** Levels of the scales and minima of groups. */
const SCALE_LEVELS: usize = memory.data(16, 16);
const MINIMUM_LEVELS: usize = memory.data(16, 16);
/** Values that the levels of the IQ4 types stand for. */
const IQ4_VALUES: usize = memory.data<i8>([
  -127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113,
]);

/** Minimum that the last search of a scale with a minimum found. */
let foundMinimum: f32 = 0;

/** Whether all scales so far fit into 16 bits. */
let fits: bool = true;

// @ts-ignore: decorator
@inline
function at(x: usize, i: i32): f32 {
  return load<f32>(x + (<usize>i << 2));
}

// @ts-ignore: decorator
@inline
function put(x: usize, i: i32, value: f32): void {
  store<f32>(x + (<usize>i << 2), value);
}

// @ts-ignore: decorator
@inline
function byte(at: usize, i: i32): i32 {
  return <i32>load<u8>(at + <usize>i);
}

// @ts-ignore: decorator
@inline
function putByte(at: usize, i: i32, value: i32): void {
  store<u8>(at + <usize>i, <u8>value);
}

/** Rounds to the nearest whole number, halves to even; below 2^22 in magnitude. */
// @ts-ignore: decorator
@inline
function nearest(x: f32): i32 {
  return (reinterpret<i32>(x + <f32>12582912) & 0x007fffff) - 0x00400000;
}

// @ts-ignore: decorator
@inline
function clamp(x: i32, least: i32, most: i32): i32 {
  return max(least, min(most, x));
}

/** Stores a scale in 16 bits, and returns what was stored. */
function putHalf(out: usize, x: f32): f32 {
  const bits = reinterpret<u32>(x);
  const doubled = bits + bits;
  const bias = max(doubled & 0xff000000, 0x71000000);
  const scaled = abs(x) * reinterpret<f32>(0x77800000) * reinterpret<f32>(0x08800000);
  const sum = reinterpret<u32>(reinterpret<f32>((bias >> 1) + 0x07800000) + scaled);
  const magnitude = doubled > 0xff000000 ? 0x7e00 : ((sum >> 13) & 0x7c00) + (sum & 0x0fff);
  if (magnitude >= 0x7c00) fits = false;
  store<u16>(out, <u16>(((bits & 0x80000000) >> 16) | magnitude));
  if (magnitude < 0x400) {
    const small = reinterpret<f32>(magnitude | 0x3f000000) - <f32>0.5;
    return bits >> 31 ? -small : small;
  }
  const wide = reinterpret<f32>((magnitude << 13) + 0x70000000) * reinterpret<f32>(0x07800000);
  return bits >> 31 ? -wide : wide;
}

/** Finds the number of a group that is farthest from 0, the first of several. */
function farthest(n: i32, x: usize): f32 {
  let top: f32 = 0;
  for (let i = 0; i < n; i++) if (abs(at(x, i)) > abs(top)) top = at(x, i);
  return top;
}

/**
 * Finds the scale of a group whose levels lie around 0: tries 19 scales, and keeps that of the smallest
 * weighted error. Weights are squares if none are given.
 */
function scaleAround(n: i32, most: i32, x: usize, levels: usize, weights: usize): f32 {
  const top = farthest(n, x);
  if (abs(top) < NEGLIGIBLE) {
    memory.fill(levels, 0, n);
    return 0;
  }
  let inverse: f32 = <f32>-most / top;
  let product: f32 = 0;
  let square: f32 = 0;
  for (let i = 0; i < n; i++) {
    const value = at(x, i);
    const level = clamp(nearest(inverse * value), -most, most - 1);
    putByte(levels, i, level + most);
    const weight = weights ? at(weights, i) : value * value;
    product += weight * value * <f32>level;
    square += weight * <f32>level * <f32>level;
  }
  let scale: f32 = square != 0 ? product / square : 0;
  let best: f32 = scale * product;
  for (let step = -9; step <= 9; step++) {
    if (step == 0) continue;
    inverse = -(<f32>most + <f32>0.1 * <f32>step) / top;
    product = 0;
    square = 0;
    for (let i = 0; i < n; i++) {
      const value = at(x, i);
      const level = <f32>clamp(nearest(inverse * value), -most, most - 1);
      const weight = weights ? at(weights, i) : value * value;
      product += weight * value * level;
      square += weight * level * level;
    }
    if (square > 0 && product * product > best * square) {
      for (let i = 0; i < n; i++)
        putByte(levels, i, most + clamp(nearest(inverse * at(x, i)), -most, most - 1));
      scale = product / square;
      best = scale * product;
    }
  }
  return scale;
}

/** Finds the scale of a group of `Q3_K`: changes levels one by one while the error falls, up to five times. */
function scaleOfThreeBits(n: i32, most: i32, x: usize, levels: usize): f32 {
  const top = farthest(n, x);
  if (abs(top) < NEGLIGIBLE) {
    memory.fill(levels, 0, n);
    return 0;
  }
  const inverse: f32 = <f32>-most / top;
  let product: f32 = 0;
  let square: f32 = 0;
  for (let i = 0; i < n; i++) {
    const value = at(x, i);
    const level = clamp(nearest(inverse * value), -most, most - 1);
    putByte(levels, i, level);
    const weight = value * value;
    product += weight * value * <f32>level;
    square += weight * <f32>level * <f32>level;
  }
  for (let pass = 0; pass < 5; pass++) {
    let changed = false;
    for (let i = 0; i < n; i++) {
      const value = at(x, i);
      const weight = value * value;
      const level = <i32>load<i8>(levels + i);
      let otherProduct: f32 = product - weight * value * <f32>level;
      if (otherProduct <= 0) continue;
      let otherSquare: f32 = square - weight * <f32>level * <f32>level;
      const next = clamp(nearest((value * otherSquare) / otherProduct), -most, most - 1);
      if (next == level) continue;
      otherProduct += weight * value * <f32>next;
      otherSquare += weight * <f32>next * <f32>next;
      if (otherSquare > 0 && otherProduct * otherProduct * square > product * product * otherSquare) {
        putByte(levels, i, next);
        product = otherProduct;
        square = otherSquare;
        changed = true;
      }
    }
    if (!changed) break;
  }
  for (let i = 0; i < n; i++) putByte(levels, i, <i32>load<i8>(levels + i) + most);
  return square > 0 ? product / square : 0;
}

/**
 * Finds scale and minimum of a group: tries `steps` + 1 scales, solves for the best scale and minimum of the
 * levels of each, and keeps the pair of the smallest weighted error, of squares or of magnitudes.
 */
function scaleAndMinimum(
  n: i32,
  most: i32,
  x: usize,
  levels: usize,
  first: f32,
  step: f32,
  steps: i32,
  ofMagnitudes: bool,
): f32 {
  let least: f32 = at(x, 0);
  let top: f32 = least;
  let sumOfWeights: f32 = at(WEIGHTS, 0);
  let sum: f32 = sumOfWeights * least;
  for (let i = 1; i < n; i++) {
    const value = at(x, i);
    if (value < least) least = value;
    if (value > top) top = value;
    const weight = at(WEIGHTS, i);
    sumOfWeights += weight;
    sum += weight * value;
  }
  if (least > 0) least = 0;
  if (top <= least) {
    memory.fill(levels, 0, n);
    foundMinimum = -least;
    return 0;
  }
  const range = top - least;
  const origin = least;
  let inverse: f32 = <f32>most / range;
  let scale: f32 = <f32>1 / inverse;
  let best: f32 = 0;
  for (let i = 0; i < n; i++) {
    const value = at(x, i);
    const level = clamp(nearest(inverse * (value - origin)), 0, most);
    putByte(levels, i, level);
    const error: f32 = scale * <f32>level + least - value;
    best += at(WEIGHTS, i) * (ofMagnitudes ? abs(error) : error * error);
  }
  for (let k = 0; k <= steps; k++) {
    inverse = (first + step * <f32>k + <f32>most) / (top - least);
    let ofLevels: f32 = 0;
    let ofSquares: f32 = 0;
    let ofProducts: f32 = 0;
    for (let i = 0; i < n; i++) {
      const value = at(x, i);
      const level = clamp(nearest(inverse * (value - least)), 0, most);
      putByte(TRIED, i, level);
      const weighted = at(WEIGHTS, i) * <f32>level;
      ofLevels += weighted;
      ofSquares += weighted * <f32>level;
      ofProducts += weighted * value;
    }
    const determinant: f32 = sumOfWeights * ofSquares - ofLevels * ofLevels;
    if (!(determinant > 0)) continue;
    let thisScale: f32 = (sumOfWeights * ofProducts - sum * ofLevels) / determinant;
    let thisLeast: f32 = (ofSquares * sum - ofLevels * ofProducts) / determinant;
    if (thisLeast > 0) {
      thisLeast = 0;
      thisScale = ofProducts / ofSquares;
    }
    let total: f32 = 0;
    for (let i = 0; i < n; i++) {
      const error: f32 = thisScale * <f32>byte(TRIED, i) + thisLeast - at(x, i);
      total += at(WEIGHTS, i) * (ofMagnitudes ? abs(error) : error * error);
    }
    if (total < best) {
      memory.copy(levels, TRIED, n);
      best = total;
      scale = thisScale;
      least = thisLeast;
    }
  }
  foundMinimum = -least;
  return scale;
}

/** Finds the scale of numbers of at least 0, such as the scales of groups, by weights of their own. */
function scaleAbove(n: i32, most: i32, x: usize, levels: usize, weights: usize): f32 {
  let top: f32 = 0;
  for (let i = 0; i < n; i++) top = at(x, i) > top ? at(x, i) : top;
  if (top < NEGLIGIBLE) {
    memory.fill(levels, 0, n);
    return 0;
  }
  let inverse: f32 = <f32>most / top;
  let scale: f32 = <f32>1 / inverse;
  let best: f32 = 0;
  for (let i = 0; i < n; i++) {
    putByte(levels, i, nearest(inverse * at(x, i)));
    const error: f32 = at(x, i) - scale * <f32>byte(levels, i);
    best += at(weights, i) * error * error;
  }
  for (let step = -4; step <= 4; step++) {
    if (step == 0) continue;
    const tried: f32 = (<f32>0.1 * <f32>step + <f32>most) / top;
    scale = <f32>1 / tried;
    let total: f32 = 0;
    for (let i = 0; i < n; i++) {
      const error: f32 = at(x, i) - scale * <f32>min(most, nearest(tried * at(x, i)));
      total += at(weights, i) * error * error;
    }
    if (total < best) {
      best = total;
      inverse = tried;
    }
  }
  let product: f32 = 0;
  let square: f32 = 0;
  for (let i = 0; i < n; i++) {
    const level = min(most, nearest(inverse * at(x, i)));
    putByte(levels, i, level);
    const weight = at(weights, i);
    product += weight * at(x, i) * <f32>level;
    square += weight * <f32>level * <f32>level;
  }
  for (let pass = 0; pass < 5; pass++) {
    let changed = false;
    for (let i = 0; i < n; i++) {
      const value = at(x, i);
      const weight = at(weights, i);
      const level = byte(levels, i);
      let otherProduct: f32 = product - weight * value * <f32>level;
      let otherSquare: f32 = square - weight * <f32>level * <f32>level;
      if (!(otherProduct > 0 && otherSquare > 0)) continue;
      const next = min(most, nearest((value * otherSquare) / otherProduct));
      if (next == level) continue;
      otherProduct += weight * value * <f32>next;
      otherSquare += weight * <f32>next * <f32>next;
      if (otherProduct * otherProduct * square > product * product * otherSquare) {
        putByte(levels, i, next);
        product = otherProduct;
        square = otherSquare;
        changed = true;
      }
    }
    if (!changed) break;
  }
  return square > 0 ? product / square : 0;
}

/** Sums the squares of numbers. */
function sumOfSquares(x: usize, n: i32): f32 {
  let sum: f32 = 0;
  for (let i = 0; i < n; i++) sum += at(x, i) * at(x, i);
  return sum;
}

/** Weighs the elements of a group by their importance, larger ones more; returns the sum of the weights. */
function weigh(x: usize, importance: usize, n: i32, variance: f32): f32 {
  let sum: f32 = 0;
  for (let i = 0; i < n; i++) {
    const weight = at(importance, i) * sqrt<f32>(variance + at(x, i) * at(x, i));
    put(WEIGHTS, i, weight);
    sum += weight;
  }
  return sum;
}

/** Stores the levels of 32 elements as 16 bytes: elements 16 apart share one. */
function packHalves(levels: usize, out: usize): void {
  for (let i = 0; i < 16; i++) putByte(out, i, (byte(levels, i) & 15) | ((byte(levels, i + 16) & 15) << 4));
}

/** Stores the fifth bits of the levels of 32 elements as 4 bytes. */
function packFifthBits(levels: usize, out: usize): void {
  let bits: u32 = 0;
  for (let i = 0; i < 32; i++) bits |= <u32>((byte(levels, i) >> 4) & 1) << i;
  store<u32>(out, bits);
}

/** Quantises a block of `Q4_0` or `Q5_0`, whose levels lie around 0; `variance` counts with importance only. */
function around(x: usize, importance: usize, variance: f32, most: i32, out: usize): void {
  if (importance) {
    weigh(x, importance, 32, variance);
    putHalf(out, scaleAround(32, most, x, LEVELS, WEIGHTS));
  } else {
    const scale: f32 = farthest(32, x) / <f32>-most;
    const inverse: f32 = scale != 0 ? <f32>1 / scale : 0;
    putHalf(out, scale);
    for (let i = 0; i < 32; i++) {
      const place: f32 = at(x, i) * inverse + (<f32>most + <f32>0.5);
      putByte(LEVELS, i, min(2 * most - 1, <i32>place));
    }
  }
  if (most == 8) packHalves(LEVELS, out + 2);
  else {
    packFifthBits(LEVELS, out + 2);
    packHalves(LEVELS, out + 6);
  }
}

/** Quantises a block of `Q4_1` or `Q5_1`, whose levels lie above a minimum. */
function above(x: usize, importance: usize, variance: f32, most: i32, out: usize): void {
  if (importance) {
    weigh(x, importance, 32, variance);
    putHalf(out, scaleAndMinimum(32, most, x, LEVELS, -0.9, 0.05, 36, false));
    putHalf(out + 2, -foundMinimum);
  } else {
    let least: f32 = f32.MAX_VALUE;
    let top: f32 = -f32.MAX_VALUE;
    for (let i = 0; i < 32; i++) {
      if (at(x, i) < least) least = at(x, i);
      if (at(x, i) > top) top = at(x, i);
    }
    const scale: f32 = (top - least) / <f32>most;
    const inverse: f32 = scale != 0 ? <f32>1 / scale : 0;
    putHalf(out, scale);
    putHalf(out + 2, least);
    for (let i = 0; i < 32; i++) {
      const place: f32 = (at(x, i) - least) * inverse + <f32>0.5;
      putByte(LEVELS, i, min(most, <i32>place));
    }
  }
  if (most == 15) packHalves(LEVELS, out + 4);
  else {
    packFifthBits(LEVELS, out + 4);
    packHalves(LEVELS, out + 8);
  }
}

/** Quantises a block of `Q8_0`; halves are rounded away from 0. */
function eightBits(x: usize, out: usize): void {
  let magnitude: f32 = 0;
  for (let i = 0; i < 32; i++) magnitude = max(magnitude, abs(at(x, i)));
  const scale: f32 = magnitude / <f32>127;
  const inverse: f32 = scale != 0 ? <f32>1 / scale : 0;
  putHalf(out, scale);
  for (let i = 0; i < 32; i++) {
    const place: f32 = at(x, i) * inverse;
    putByte(out + 2, i, <i32>(<f64>place + (place < 0 ? -0.5 : 0.5)));
  }
}

/** Stores 256 levels of 2 bits as 64 bytes. */
function packPairs(out: usize): void {
  for (let half = 0; half < 256; half += 128) {
    for (let i = 0; i < 32; i++) {
      const from = LEVELS + half + i;
      const low = byte(from, 0) | (byte(from, 32) << 2);
      putByte(out, (half >> 2) + i, low | (byte(from, 64) << 4) | (byte(from, 96) << 6));
    }
  }
}

/** Rounds the elements of a group to levels, given the scale and minimum that are stored. */
function settle(x: usize, levels: usize, n: i32, scale: f32, minimum: f32, most: i32): void {
  if (scale == 0) return;
  for (let i = 0; i < n; i++) putByte(levels, i, clamp(nearest((at(x, i) + minimum) / scale), 0, most));
}

/** Rounds the elements of a group to levels around 0, stored above it. */
function settleAround(x: usize, levels: usize, n: i32, scale: f32, most: i32): void {
  if (scale == 0) return;
  for (let i = 0; i < n; i++)
    putByte(levels, i, clamp(nearest(at(x, i) / scale), -most, most - 1) + most);
}

/** Quantises a block of `Q2_K`. */
function twoBits(x: usize, importance: usize, out: usize): void {
  let largest: f32 = 0;
  let largestMinimum: f32 = 0;
  const variance: f32 = importance ? sumOfSquares(x, 256) / <f32>256 : 0;
  for (let group = 0; group < 16; group++) {
    const from = x + 64 * group;
    let scale: f32 = 0;
    if (importance) {
      put(SHARES, group, weigh(from, importance + 64 * group, 16, variance));
      scale = scaleAndMinimum(16, 3, from, LEVELS + 16 * group, -0.9, 0.05, 36, false);
    } else {
      for (let i = 0; i < 16; i++) put(WEIGHTS, i, abs(at(from, i)));
      scale = scaleAndMinimum(16, 3, from, LEVELS + 16 * group, -0.5, 0.1, 15, true);
    }
    put(SCALES, group, scale);
    put(MINIMA, group, foundMinimum);
    if (scale > largest) largest = scale;
    if (foundMinimum > largestMinimum) largestMinimum = foundMinimum;
  }
  let d: f32 = 0;
  let m: f32 = 0;
  if (importance) {
    d = putHalf(out + 80, scaleAbove(16, 15, SCALES, SCALE_LEVELS, SHARES));
    m = putHalf(out + 82, scaleAbove(16, 15, MINIMA, MINIMUM_LEVELS, SHARES));
  } else {
    const ofScales: f32 = largest > 0 ? <f32>15 / largest : 0;
    const ofMinima: f32 = largestMinimum > 0 ? <f32>15 / largestMinimum : 0;
    for (let group = 0; group < 16; group++) {
      putByte(SCALE_LEVELS, group, largest > 0 ? nearest(ofScales * at(SCALES, group)) : 0);
      putByte(MINIMUM_LEVELS, group, largestMinimum > 0 ? nearest(ofMinima * at(MINIMA, group)) : 0);
    }
    d = putHalf(out + 80, largest > 0 ? largest / <f32>15 : 0);
    m = putHalf(out + 82, largestMinimum > 0 ? largestMinimum / <f32>15 : 0);
  }
  for (let group = 0; group < 16; group++) {
    const packed = (byte(SCALE_LEVELS, group) | (byte(MINIMUM_LEVELS, group) << 4)) & 255;
    putByte(out, group, packed);
    settle(x + 64 * group, LEVELS + 16 * group, 16, d * <f32>(packed & 15), m * <f32>(packed >> 4), 3);
  }
  packPairs(out + 16);
}

/** Quantises a block of `Q3_K`. */
function threeBits(x: usize, importance: usize, out: usize): void {
  const variance: f32 = importance ? (<f32>2 * sumOfSquares(x, 256)) / <f32>256 : 0;
  let largest: f32 = 0;
  let magnitude: f32 = 0;
  for (let group = 0; group < 16; group++) {
    const from = x + 64 * group;
    let scale: f32 = 0;
    if (importance) {
      put(SHARES, group, weigh(from, importance + 64 * group, 16, variance));
      scale = scaleAround(16, 4, from, LEVELS + 16 * group, WEIGHTS);
    } else scale = scaleOfThreeBits(16, 4, from, LEVELS + 16 * group);
    put(SCALES, group, scale);
    if (abs(scale) > magnitude) {
      magnitude = abs(scale);
      largest = scale;
    }
  }
  let d: f32 = 0;
  if (importance) {
    d = putHalf(out + 108, scaleAround(16, 32, SCALES, SCALE_LEVELS, SHARES));
  } else if (largest != 0) {
    const inverse: f32 = <f32>-32 / largest;
    for (let group = 0; group < 16; group++)
      putByte(SCALE_LEVELS, group, clamp(nearest(inverse * at(SCALES, group)), -32, 31) + 32);
    d = putHalf(out + 108, <f32>1 / inverse);
  } else {
    memory.fill(SCALE_LEVELS, 0, 16);
    putHalf(out + 108, 0);
  }
  memory.fill(out + 96, 0, 12);
  for (let group = 0; group < 16; group++) {
    const level = byte(SCALE_LEVELS, group);
    const low = out + 96 + (group & 7);
    store<u8>(low, <u8>(load<u8>(low) | ((level & 15) << (group < 8 ? 0 : 4))));
    const high = out + 104 + (group & 3);
    store<u8>(high, <u8>(load<u8>(high) | ((level >> 4) << (2 * (group >> 2)))));
    settleAround(x + 64 * group, LEVELS + 16 * group, 16, d * <f32>(level - 32), 4);
  }
  memory.fill(out, 0, 32);
  for (let i = 0; i < 256; i++) {
    const level = byte(LEVELS, i);
    if (level <= 3) continue;
    const mask = out + (i & 31);
    putByte(mask, 0, byte(mask, 0) | (1 << (i >> 5)));
    putByte(LEVELS, i, level - 4);
  }
  packPairs(out + 32);
}

/** Finds scales and minima of the 8 groups of a block of `Q4_K` or `Q5_K`, stores them, and rounds to levels. */
function eightGroups(x: usize, importance: usize, most: i32, out: usize): void {
  let largest: f32 = 0;
  let largestMinimum: f32 = 0;
  const variance: f32 = importance ? (<f32>2 * sumOfSquares(x, 256)) / <f32>256 : 0;
  for (let group = 0; group < 8; group++) {
    const from = x + 128 * group;
    let scale: f32 = 0;
    if (importance) {
      put(SHARES, group, weigh(from, importance + 128 * group, 32, variance));
      scale = scaleAndMinimum(32, most, from, LEVELS + 32 * group, -0.9, 0.05, 36, false);
    } else {
      const mean: f32 = sqrt<f32>(sumOfSquares(from, 32) / <f32>32);
      for (let i = 0; i < 32; i++) put(WEIGHTS, i, mean + abs(at(from, i)));
      const steps = most == 15 ? 20 : 15;
      scale = scaleAndMinimum(32, most, from, LEVELS + 32 * group, most == 15 ? -1 : -0.5, 0.1, steps, false);
    }
    put(SCALES, group, scale);
    put(MINIMA, group, foundMinimum);
    if (scale > largest) largest = scale;
    if (foundMinimum > largestMinimum) largestMinimum = foundMinimum;
  }
  let d: f32 = 0;
  let m: f32 = 0;
  if (importance) {
    d = putHalf(out, scaleAbove(8, 63, SCALES, SCALE_LEVELS, SHARES));
    m = putHalf(out + 2, scaleAbove(8, 63, MINIMA, MINIMUM_LEVELS, SHARES));
  } else {
    const ofScales: f32 = largest > 0 ? <f32>63 / largest : 0;
    const ofMinima: f32 = largestMinimum > 0 ? <f32>63 / largestMinimum : 0;
    for (let group = 0; group < 8; group++) {
      putByte(SCALE_LEVELS, group, nearest(ofScales * at(SCALES, group)));
      putByte(MINIMUM_LEVELS, group, nearest(ofMinima * at(MINIMA, group)));
    }
    d = putHalf(out, largest / <f32>63);
    m = putHalf(out + 2, largestMinimum / <f32>63);
  }
  for (let group = 0; group < 8; group++) {
    const s = min(63, byte(SCALE_LEVELS, group));
    const l = min(63, byte(MINIMUM_LEVELS, group));
    if (group < 4) {
      putByte(out, 4 + group, s);
      putByte(out, 8 + group, l);
    } else {
      putByte(out, 8 + group, (s & 15) | ((l & 15) << 4));
      putByte(out, group, byte(out, group) | ((s >> 4) << 6));
      putByte(out, 4 + group, byte(out, 4 + group) | ((l >> 4) << 6));
    }
    settle(x + 128 * group, LEVELS + 32 * group, 32, d * <f32>s, m * <f32>l, most);
  }
}

/** Quantises a block of `Q4_K`. */
function fourBits(x: usize, importance: usize, out: usize): void {
  eightGroups(x, importance, 15, out);
  for (let pair = 0; pair < 4; pair++) {
    const from = LEVELS + 64 * pair;
    for (let i = 0; i < 32; i++) putByte(out + 16 + 32 * pair, i, byte(from, i) | (byte(from, i + 32) << 4));
  }
}

/** Quantises a block of `Q5_K`. */
function fiveBits(x: usize, importance: usize, out: usize): void {
  eightGroups(x, importance, 31, out);
  memory.fill(out + 16, 0, 32);
  for (let pair = 0; pair < 4; pair++) {
    const from = LEVELS + 64 * pair;
    for (let i = 0; i < 32; i++) {
      const low = byte(from, i);
      const high = byte(from, i + 32);
      putByte(out + 48 + 32 * pair, i, (low & 15) | ((high & 15) << 4));
      const bits = ((low >> 4) << (2 * pair)) | ((high >> 4) << (2 * pair + 1));
      putByte(out + 16, i, byte(out + 16, i) | bits);
    }
  }
}

/** Quantises a block of `Q6_K`. */
function sixBits(x: usize, importance: usize, out: usize): void {
  let largest: f32 = 0;
  let magnitude: f32 = 0;
  for (let group = 0; group < 16; group++) {
    const weights = importance ? importance + 64 * group : 0;
    const scale = scaleAround(16, 32, x + 64 * group, LEVELS + 16 * group, weights);
    put(SCALES, group, scale);
    if (abs(scale) > magnitude) {
      magnitude = abs(scale);
      largest = scale;
    }
  }
  if (magnitude < NEGLIGIBLE) {
    memory.fill(out, 0, 210);
    return;
  }
  const inverse: f32 = <f32>-128 / largest;
  const d = putHalf(out + 208, <f32>1 / inverse);
  for (let group = 0; group < 16; group++) {
    const level = <i8>min(127, nearest(inverse * at(SCALES, group)));
    store<i8>(out + 192 + group, level);
    settleAround(x + 64 * group, LEVELS + 16 * group, 16, d * <f32>level, 32);
  }
  for (let half = 0; half < 2; half++) {
    const from = LEVELS + 128 * half;
    for (let i = 0; i < 32; i++) {
      const a = byte(from, i);
      const b = byte(from, i + 32);
      const c = byte(from, i + 64);
      const e = byte(from, i + 96);
      putByte(out + 64 * half, i, (a & 15) | ((c & 15) << 4));
      putByte(out + 64 * half, i + 32, (b & 15) | ((e & 15) << 4));
      putByte(out + 128 + 32 * half, i, (a >> 4) | ((b >> 4) << 2) | ((c >> 4) << 4) | ((e >> 4) << 6));
    }
  }
}

// @ts-ignore: decorator
@inline
function iq4Value(level: i32): f32 {
  return <f32>load<i8>(IQ4_VALUES + <usize>level);
}

/** Finds the level whose value of the IQ4 types is nearest. */
function iq4Level(x: f32): i32 {
  if (x <= iq4Value(0)) return 0;
  if (x >= iq4Value(15)) return 15;
  let low = 0;
  let high = 15;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (x < iq4Value(middle)) high = middle;
    else low = middle;
  }
  return x - iq4Value(high - 1) < iq4Value(high) - x ? high - 1 : high;
}

/** Finds the scale of a group of 32 elements of the IQ4 types, whose weights are in place. */
function iq4Scale(x: usize): f32 {
  const top = farthest(32, x);
  if (abs(top) < NEGLIGIBLE) return 0;
  let scale: f32 = -top / iq4Value(0);
  let best: f32 = 0;
  for (let step = -8; step <= 7; step++) {
    // The first try is of the scale alone; the others are around it.
    const inverse: f32 = step == -8 ? <f32>1 / scale : (<f32>step + iq4Value(0)) / top;
    let product: f32 = 0;
    let square: f32 = 0;
    for (let i = 0; i < 32; i++) {
      const value = iq4Value(iq4Level(inverse * at(x, i)));
      const weighted = at(WEIGHTS, i) * value;
      product += weighted * at(x, i);
      square += weighted * value;
    }
    if (step == -8) {
      scale = square > 0 ? product / square : 0;
      best = scale * product;
    } else if (square > 0 && product * product > best * square) {
      scale = product / square;
      best = scale * product;
    }
  }
  return scale;
}

/** Weighs a group of the IQ4 types. */
function weighIq4(x: usize, importance: usize, variance: f32): void {
  if (importance) weigh(x, importance, 32, variance);
  else for (let i = 0; i < 32; i++) put(WEIGHTS, i, at(x, i) * at(x, i));
}

/** Quantises a block of `IQ4_NL`. */
function iq4Nl(x: usize, importance: usize, out: usize): void {
  weighIq4(x, importance, sumOfSquares(x, 32) * (<f32>2 / <f32>32));
  const scale = iq4Scale(x);
  putHalf(out, scale);
  const inverse: f32 = scale != 0 ? <f32>1 / scale : 0;
  for (let i = 0; i < 32; i++) putByte(LEVELS, i, iq4Level(inverse * at(x, i)));
  packHalves(LEVELS, out + 2);
}

/** Quantises a block of `IQ4_XS`. */
function iq4Xs(x: usize, importance: usize, out: usize): void {
  const variance: f32 = sumOfSquares(x, 256) * (<f32>2 / <f32>256);
  let largest: f32 = 0;
  let magnitude: f32 = 0;
  for (let group = 0; group < 8; group++) {
    weighIq4(x + 128 * group, importance ? importance + 128 * group : 0, variance);
    const scale = iq4Scale(x + 128 * group);
    put(SCALES, group, scale);
    if (abs(scale) > magnitude) {
      magnitude = abs(scale);
      largest = scale;
    }
  }
  const d: f32 = -largest / <f32>32;
  putHalf(out, d);
  const inverse: f32 = d != 0 ? <f32>1 / d : 0;
  memory.fill(out + 2, 0, 6);
  for (let group = 0; group < 8; group++) {
    const level = clamp(nearest(inverse * at(SCALES, group)), -32, 31);
    const scale: f32 = d * <f32>level;
    const inverted: f32 = scale != 0 ? <f32>1 / scale : 0;
    for (let i = 0; i < 32; i++) putByte(LEVELS, 32 * group + i, iq4Level(inverted * at(x + 128 * group, i)));
    const stored = level + 32;
    const low = out + 4 + (group >> 1);
    store<u8>(low, <u8>(load<u8>(low) | ((stored & 15) << (4 * (group & 1)))));
    store<u16>(out + 2, <u16>(load<u16>(out + 2) | ((stored >> 4) << (2 * group))));
    packHalves(LEVELS + 32 * group, out + 8 + 16 * group);
  }
}

/** Quantises one block. */
function quantizeBlock(type: i32, x: usize, importance: usize, variance: f32, out: usize): void {
  if (type == Q4_0) around(x, importance, variance, 8, out);
  else if (type == Q4_1) above(x, importance, variance, 15, out);
  else if (type == Q5_0) around(x, importance, variance, 16, out);
  else if (type == Q5_1) above(x, importance, variance, 31, out);
  else if (type == Q8_0) eightBits(x, out);
  else if (type == Q2_K) twoBits(x, importance, out);
  else if (type == Q3_K) threeBits(x, importance, out);
  else if (type == Q4_K) fourBits(x, importance, out);
  else if (type == Q5_K) fiveBits(x, importance, out);
  else if (type == Q6_K) sixBits(x, importance, out);
  else if (type == IQ4_NL) iq4Nl(x, importance, out);
  else if (type == IQ4_XS) iq4Xs(x, importance, out);
}

/**
 * Quantises rows of f32.
 * @param type - number of the type in a file
 * @param x - elements, `rows * columns` of them
 * @param importance - weight of each column, or 0 without
 * @param blockBytes - bytes of a block, of 32 elements for types of small blocks, else 256
 * @returns 1 if all numbers are finite and below 1e9, and all scales fit into 16 bits; else 0
 */
export function quantize(
  type: i32,
  x: usize,
  importance: usize,
  rows: i32,
  columns: i32,
  blockBytes: i32,
  out: usize,
): i32 {
  fits = true;
  const size = type <= Q8_0 || type == IQ4_NL ? 32 : 256;
  for (let row = 0; row < rows; row++) {
    // No scale holds larger numbers; their squares would overflow before that is seen.
    for (let i = 0; i < columns; i++) if (!(abs(at(x, i)) < <f32>1e9)) return 0;
    const variance: f32 = importance && size == 32 ? sumOfSquares(x, columns) / <f32>columns : 0;
    for (let i = 0; i < columns; i += size) {
      const bytes = <usize>i << 2;
      quantizeBlock(type, x + bytes, importance ? importance + bytes : 0, variance, out);
      out += blockBytes;
    }
    x += <usize>columns << 2;
  }
  return fits ? 1 : 0;
}
