// Rules on single elements of several networks in f32, for WebAssembly SIMD. src/kernels/*.ts say what each does,
// and give the same bits.
//
// The memory is imported from @isthmus/core, so there must be no static data. Every count is a multiple of 8.

export function stepTowards(base: usize, network: usize, step: f32, out: usize, count: i32): void {
  const by = f32x4.splat(step);
  const one = f32x4.splat(1);
  const zero = f32x4.splat(0);
  const least = f32x4.splat(1e-6);
  for (let end = out + 4 * <usize>count; out < end; out += 16) {
    const x = v128.load(base);
    const y = v128.load(network);
    const difference = f32x4.sub(y, x);
    const share = f32x4.div(by, f32x4.max(f32x4.abs(difference), least));
    const moved = f32x4.add(x, f32x4.mul(share, difference));
    const partial = v128.bitselect(moved, x, f32x4.gt(share, zero));
    v128.store(out, v128.bitselect(y, partial, f32x4.ge(share, one)));
    base += 16;
    network += 16;
  }
}

export function countLarger(counts: usize, values: usize, least: f32, count: i32): void {
  const floor = f32x4.splat(least);
  const one = f32x4.splat(1);
  for (let end = values + 4 * <usize>count; values < end; values += 16) {
    const isLarge = f32x4.gt(f32x4.abs(v128.load(values)), floor);
    v128.store(counts, f32x4.add(v128.load(counts), v128.and(one, isLarge)));
    counts += 16;
  }
}

export function addContributions(sums: usize, values: usize, counts: usize, least: f32, unique: f32, count: i32): void {
  const floor = f32x4.splat(least);
  const one = f32x4.splat(1);
  const factor = f32x4.splat(unique);
  for (let end = values + 4 * <usize>count; values < end; values += 16) {
    const x = v128.load(values);
    const n = v128.load(counts);
    const part = v128.bitselect(f32x4.mul(x, factor), f32x4.div(x, n), f32x4.eq(n, one));
    const sum = v128.load(sums);
    v128.store(sums, v128.bitselect(f32x4.add(sum, part), sum, f32x4.gt(f32x4.abs(x), floor)));
    sums += 16;
    counts += 16;
  }
}

/** Returns how many values are larger than `least` where the count is 1, plus 2^32 times all others that are. */
export function countShared(values: usize, counts: usize, least: f32, count: i32): i64 {
  const floor = f32x4.splat(least);
  const one = f32x4.splat(1);
  let alone = i32x4.splat(0);
  let together = i32x4.splat(0);
  for (let end = values + 4 * <usize>count; values < end; values += 16) {
    const isLarge = f32x4.gt(f32x4.abs(v128.load(values)), floor);
    const isAlone = f32x4.eq(v128.load(counts), one);
    alone = i32x4.sub(alone, v128.and(isLarge, isAlone));
    together = i32x4.sub(together, v128.andnot(isLarge, isAlone));
    counts += 16;
  }
  return (<i64>total(together) << 32) | <i64>total(alone);
}

// @ts-ignore: decorator
@inline
function total(x: v128): i32 {
  return i32x4.extract_lane(x, 0) + i32x4.extract_lane(x, 1) + i32x4.extract_lane(x, 2) + i32x4.extract_lane(x, 3);
}

// @ts-ignore: decorator
@inline
function promoteHigh(x: v128): v128 {
  return f64x2.promote_low_f32x4(v128.shuffle<i64>(x, x, 1, 1));
}

/** Writes the variance over some networks, whose addresses are in a table. */
export function variances(table: usize, networks: i32, out: usize, count: i32): void {
  const share = f64x2.splat(<f64>networks);
  const last = table + 4 * <usize>networks;
  for (let at: usize = 0; at < 4 * <usize>count; at += 16) {
    let low = f64x2.splat(0);
    let high = f64x2.splat(0);
    for (let k = table; k < last; k += 4) {
      const x = v128.load(<usize>load<u32>(k) + at);
      low = f64x2.add(low, f64x2.promote_low_f32x4(x));
      high = f64x2.add(high, promoteHigh(x));
    }
    low = f64x2.div(low, share);
    high = f64x2.div(high, share);
    let squaresLow = f64x2.splat(0);
    let squaresHigh = f64x2.splat(0);
    for (let k = table; k < last; k += 4) {
      const x = v128.load(<usize>load<u32>(k) + at);
      const y = f64x2.sub(f64x2.promote_low_f32x4(x), low);
      const z = f64x2.sub(promoteHigh(x), high);
      squaresLow = f64x2.add(squaresLow, f64x2.mul(y, y));
      squaresHigh = f64x2.add(squaresHigh, f64x2.mul(z, z));
    }
    const x = f32x4.demote_f64x2_zero(f64x2.div(squaresLow, share));
    const y = f32x4.demote_f64x2_zero(f64x2.div(squaresHigh, share));
    v128.store(out + at, v128.shuffle<i64>(x, y, 0, 2));
  }
}

/** Adds values times a share to sums, both in f32. */
export function addScaled(sums: usize, values: usize, factor: f32, count: i32): void {
  const f = f32x4.splat(factor);
  for (let end = values + 4 * <usize>count; values < end; values += 16) {
    v128.store(sums, f32x4.add(v128.load(sums), f32x4.mul(v128.load(values), f)));
    sums += 16;
  }
}

export function sizesTimes(values: usize, factor: f64, out: usize, count: i32): void {
  const f = f64x2.splat(factor);
  for (let end = out + 4 * <usize>count; out < end; out += 16) {
    const x = f32x4.abs(v128.load(values));
    const low = f32x4.demote_f64x2_zero(f64x2.mul(f64x2.promote_low_f32x4(x), f));
    const high = f32x4.demote_f64x2_zero(f64x2.mul(promoteHigh(x), f));
    v128.store(out, v128.shuffle<i64>(low, high, 0, 2));
    values += 16;
  }
}

export function keepImportant(values: usize, importance: usize, threshold: f32, count: i32): void {
  const least = f32x4.splat(threshold);
  for (let end = values + 4 * <usize>count; values < end; values += 16) {
    v128.store(values, v128.and(v128.load(values), f32x4.ge(v128.load(importance), least)));
    importance += 16;
  }
}

export function takeLargestChange(table: usize, networks: i32, base: usize, scale: f32, count: i32): void {
  const factor = f32x4.splat(scale);
  const last = table + 4 * <usize>networks;
  for (let at: usize = 0; at < 4 * <usize>count; at += 16) {
    const start = v128.load(base + at);
    let largest = f32x4.splat(0);
    for (let k = table; k < last; k += 4) {
      const change = f32x4.sub(v128.load(<usize>load<u32>(k) + at), start);
      const isSmaller = f32x4.lt(f32x4.abs(change), f32x4.abs(largest));
      largest = v128.bitselect(largest, change, isSmaller);
    }
    const isSame = f32x4.eq(largest, f32x4.splat(0));
    const merged = f32x4.add(start, f32x4.mul(factor, largest));
    v128.store(base + at, v128.bitselect(start, merged, isSame));
  }
}
