/** How much a task of a study has to do: so many rounds, each of so many units. */
export interface TaskWork {
  readonly rounds: number;
  readonly units: number;
}

/** A task, or what its `result.json` says of it. */
export interface DescribedTask {
  readonly kind: string;
  readonly label: string;
  readonly params: object;
}

interface Params {
  readonly data?: { readonly name: string };
  readonly options?: { readonly epochs?: number; readonly points?: number };
}

/**
 * Says how much a task of a study has to do. Training is one round, of a unit for each example of each epoch.
 * Stars have a round for each epoch, as anchors are aligned before each, and a unit for each example. Barriers
 * are one round, of a unit for each example at each place. An alignment is one round.
 * @throws RangeError if its kind is another
 */
export function workOf({ kind, params }: DescribedTask): TaskWork {
  const { options = {} } = params as Params;
  const rounds = { train: 1, star: options.epochs, barrier: 1, align: 1 }[kind];
  const unitsOf = { train: options.epochs, star: 1, barrier: options.points, align: 0 }[kind];
  if (rounds === undefined || unitsOf === undefined) {
    throw new RangeError(
      `Cannot tell the work of a task as its kind must be train, star, barrier or align: it is "${kind}"`,
    );
  }
  return { rounds, units: unitsOf === 0 ? 0 : unitsOf * examplesOf(params as Params) };
}

/** Returns the examples of `mnist:train@54000`. */
function examplesOf({ data }: Params): number {
  const count = /@(\d+)$/.exec(data?.name ?? "")?.[1];
  if (count !== undefined) return Number(count);
  throw new RangeError(
    `Cannot tell the work of a task as its data must say how many examples they are: they are "${data?.name}"`,
  );
}

/** Returns the architecture of a task, as `mlp:64`: its parameters say it, or its label. */
export function netOf({ label, params }: DescribedTask): string {
  const text = `${JSON.stringify(params)} ${label}`;
  const net = /mlp:\d+(?:x\d+)?/.exec(text)?.[0];
  if (net !== undefined) return net;
  throw new RangeError(`Cannot tell the architecture of a task as it must name one: "${label}" does not`);
}

/** Returns the first word of the name of a file: `weights` of `weights-8.safetensors`. */
export function wordOf(file: string): string {
  const word = /^[a-z]+/.exec(file)?.[0];
  if (word !== undefined) return word;
  throw new RangeError(`Cannot tell what a file is as its name must begin with a word: "${file}" does not`);
}
