import type { Matrix } from "@isthmus/linear-algebra";

/** Subtracts the mean of its column from every element, in place. */
export function centreColumns({ rows, columns, data }: Matrix): void {
  const means = new Float64Array(columns);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) means[j] = means[j]! + data[i * columns + j]! / rows;
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) data[i * columns + j] = data[i * columns + j]! - means[j]!;
}

/** Returns the length of every column. */
export function columnLengths({ rows, columns, data }: Matrix): Float64Array {
  const squares = new Float64Array(columns);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) squares[j] = squares[j]! + data[i * columns + j]! ** 2;
  return squares.map(Math.sqrt as (x: number) => number);
}

/** Multiplies every column by its factor, in place. */
export function scaleColumns({ rows, columns, data }: Matrix, factors: ArrayLike<number>): void {
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) data[i * columns + j] = data[i * columns + j]! * factors[j]!;
}
