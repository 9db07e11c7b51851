import { OutOfRangeError } from "@isthmus/core";
import { Encodings, Font } from "@pdf-lib/standard-fonts";

/** Fonts of figures, all of which every PDF reader has. */
export type PdfFont = "Helvetica" | "Helvetica-Bold" | "Symbol";

/** Consecutive letters of one font. */
export interface TextRun {
  /** Font of all letters of the run. */
  readonly font: PdfFont;
  /** Codes of the letters in the font's encoding, two hexadecimal digits each. */
  readonly hex: string;
  /** Sum of the advances of the letters, relative to the font size. */
  readonly width: number;
}

/** Letter that replaces letters which no standard font has. */
const UNKNOWN = "?";
/** Units of font metrics per font size. */
const UNITS = 1000;

interface Letter {
  readonly font: PdfFont;
  readonly code: number;
  readonly width: number;
}

/**
 * Splits text into runs of letters by the standard font that has them: Helvetica for Latin ones, Symbol for
 * arrows, Greek and mathematical signs. Letters that neither has become a question mark.
 */
export function splitRuns(text: string, bold: boolean): TextRun[] {
  const runs: TextRun[] = [];
  for (const character of text.normalize("NFC")) {
    const { font, code, width } = letterOf(character, bold);
    const hex = code.toString(16).padStart(2, "0");
    const last = runs.at(-1);
    if (last?.font === font) runs[runs.length - 1] = { font, hex: last.hex + hex, width: last.width + width };
    else runs.push({ font, hex, width });
  }
  return runs;
}

function letterOf(character: string, bold: boolean): Letter {
  const latin = bold ? "Helvetica-Bold" : "Helvetica";
  const letter =
    findLetter(character, latin) ?? findLetter(character, "Symbol") ?? findLetter(UNKNOWN, latin);
  if (letter === undefined)
    throw new OutOfRangeError(`Cannot write "${character}" as ${latin} must have a letter for it`);
  return letter;
}

/** Looks a letter up in the encoding and the metrics of a font; undefined if the font lacks the letter. */
function findLetter(character: string, font: PdfFont): Letter | undefined {
  const encoding = font === "Symbol" ? Encodings.Symbol : Encodings.WinAnsi;
  const point = character.codePointAt(0);
  if (point === undefined || !encoding.canEncodeUnicodeCodePoint(point)) return undefined;
  const { code, name } = encoding.encodeUnicodeCodePoint(point);
  const width = Font.load(font).getWidthOfGlyph(name);
  return width === undefined ? undefined : { font, code, width: width / UNITS };
}
