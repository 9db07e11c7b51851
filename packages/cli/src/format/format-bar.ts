/** Formats a number as a bar, `width` cells for `full`; numbers of 0 and below have no cells. */
export function formatBar(
  value: number,
  { full, width, unicode }: { readonly full: number; readonly width: number; readonly unicode: boolean },
): string {
  const share = full > 0 && value > 0 ? Math.min(value / full, 1) : 0;
  if (!unicode) return "#".repeat(Math.round(share * width));
  const eighths = Math.round(share * width * EIGHTHS.length);
  const rest = eighths % EIGHTHS.length;
  return "█".repeat(Math.floor(eighths / EIGHTHS.length)) + (rest === 0 ? "" : EIGHTHS[rest]);
}

const EIGHTHS = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"] as const;
