/** Returns the name of the output that holds the gradient of a loss with respect to a value. */
export function gradientName(loss: string, value: string): string {
  return `d(${loss})/d(${value})`;
}
