/**
 * Samples of all components of a picture, each repeated for all pixels that share it:
 * `[height, width, channels]`.
 */
interface RepeatedSamples {
  readonly samples: Uint8Array;
  /** Index of the component that is read. */
  readonly component: number;
  readonly width: number;
  readonly height: number;
}

/** Number of pixels that share a sample, across and down. */
interface Sharing {
  readonly across: number;
  readonly down: number;
}

const CHANNELS = 3;

/**
 * Returns one component of a picture `[height, width]` as libjpeg does: if two pixels share a sample, each
 * gets a quarter of the neighbouring sample on its side; if more pixels do, or the picture is tiny, samples
 * are repeated.
 */
export function upsample(repeated: RepeatedSamples, sharing: Sharing): Uint8Array {
  const { samples, component, width, height } = repeated;
  const out = new Uint8Array(width * height);
  if (isSmooth(sharing, width)) {
    smoothInto(repeated, sharing, out);
  } else {
    for (let i = 0; i < out.length; i++) out[i] = samples[i * CHANNELS + component] as number;
  }
  return out;
}

/** Checks whether neighbouring samples are mixed. */
function isSmooth({ across, down }: Sharing, width: number): boolean {
  if (across === 1) return down === 2;
  return across === 2 && down <= 2 && Math.ceil(width / across) > 2;
}

function smoothInto(
  { samples, component, width, height }: RepeatedSamples,
  { across, down }: Sharing,
  out: Uint8Array,
): void {
  const read = (x: number, y: number): number => samples[(y * width + x) * CHANNELS + component] as number;
  const rows = Math.ceil(height / down);
  const blended = new Int32Array(Math.ceil(width / across));
  for (let y = 0; y < height; y++) {
    const row = Math.floor(y / down);
    const beside = Math.min(rows - 1, Math.max(0, row + (y % 2 === 0 ? -1 : 1)));
    for (let column = 0; column < blended.length; column++) {
      const near = read(column * across, row * down);
      blended[column] = down === 1 ? near : 3 * near + read(column * across, beside * down);
    }
    writeRow(blended, { across, down, odd: y % 2 }, out.subarray(y * width, (y + 1) * width));
  }
}

/** Writes a row of pixels from a row of samples; samples are multiplied by 4 if rows were blended. */
function writeRow(
  row: Int32Array,
  { across, down, odd }: Sharing & { readonly odd: number },
  out: Uint8Array,
): void {
  // Halves are rounded down and up in turn, so that neither side is favoured.
  if (across === 1) {
    for (let x = 0; x < out.length; x++) out[x] = ((row[x] as number) + 1 + odd) >> 2;
    return;
  }
  for (let x = 0; x < out.length; x++) {
    const column = x >> 1;
    const isRight = x % 2 === 1;
    const near = row[column] as number;
    // At the edge there is no neighbour: the sample itself takes its place.
    const sum = 3 * near + (row[column + (isRight ? 1 : -1)] ?? near);
    out[x] = down === 1 ? (sum + (isRight ? 2 : 1)) >> 2 : (sum + (isRight ? 7 : 8)) >> 4;
  }
}
