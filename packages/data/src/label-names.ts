import { FormatError } from "@isthmus/core";

/** Maximum number of different labels of a file; more are not classes. */
const MOST_LABELS = 2 ** 16;

/** Collects labels as texts, and converts them to classes at the end. */
export interface LabelNames {
  /** @throws FormatError if there are too many different labels */
  add(label: string): void;
  /**
   * Returns the classes of all labels in order: whole numbers are kept, other labels become numbers of the
   * sorted names.
   */
  labels(): { readonly labels: Int32Array; readonly names: readonly string[] | undefined };
}

const WHOLE = /^\d{1,8}(\.0+)?$/;

/**
 * Makes an empty list of labels.
 * @param source - name for messages
 */
export function createLabelNames(source: string): LabelNames {
  const codes = new Map<string, number>();
  let list = new Int32Array(1024);
  let count = 0;
  return {
    add(label) {
      const code = codes.get(label) ?? codes.size;
      codes.set(label, code);
      if (codes.size > MOST_LABELS) {
        throw new FormatError(
          `Cannot read "${source}" as its labels must be at most ${MOST_LABELS} classes: there are more different ones; is another column the label?`,
          { format: "data set" },
        );
      }
      if (count === list.length) {
        const longer = new Int32Array(2 * count);
        longer.set(list);
        list = longer;
      }
      list[count++] = code;
    },
    labels() {
      const written = [...codes.keys()];
      const isNumbered = written.every((label) => WHOLE.test(label));
      const names = isNumbered ? undefined : [...written].sort();
      const classOf = new Map(names?.map((name, i) => [name, i]));
      const classes = Int32Array.from(written, (label) => classOf.get(label) ?? Number(label));
      return { labels: list.subarray(0, count).map((code) => classes[code] as number), names };
    },
  };
}
