/** Fills numbers with a pattern again and again, as at the position `begin` of an endless repetition. */
export function repeatInto<T extends Uint16Array | Float32Array>(pattern: T, begin: number, out: T): void {
  for (let at = -(begin % pattern.length); at < out.length; at += pattern.length) {
    out.set(pattern.subarray(Math.max(0, -at), out.length - at), Math.max(0, at));
  }
}
