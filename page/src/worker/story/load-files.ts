/**
 * Loads files and tells how much has arrived.
 * @param total - bytes of all files as they are stored, which a host that compresses does not tell
 */
export async function loadFiles(
  urls: readonly string[],
  total: number,
  { signal, onDone }: { readonly signal: AbortSignal; readonly onDone: (done: number) => void },
): Promise<readonly Blob[]> {
  let loaded = 0;
  const load = async (url: string): Promise<Blob> => {
    const response = await fetch(url, { signal });
    if (!response.ok || response.body === null) {
      throw new TypeError(`Cannot load ${url}: the server answers ${response.status}`);
    }
    const counted = response.body.pipeThrough(
      new TransformStream<Uint8Array, Uint8Array>({
        transform(chunk, controller) {
          loaded += chunk.byteLength;
          onDone(Math.min(1, loaded / total));
          controller.enqueue(chunk);
        },
      }),
    );
    return new Response(counted).blob();
  };
  return Promise.all(urls.map(load));
}
