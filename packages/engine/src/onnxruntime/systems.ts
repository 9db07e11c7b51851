/** Systems for which onnxruntime has a native library, as npm names them: `platform-arch`. */
export const NATIVE_SYSTEMS: readonly string[] = [
  "linux-x64",
  "linux-arm64",
  "darwin-arm64",
  "win32-x64",
  "win32-arm64",
];

/** Package of the native library of this system, which npm installs with the engine if there is one. */
export const PLATFORM_PACKAGE: string = `@isthmus/onnxruntime-${process.platform}-${process.arch}`;

/**
 * Says why a system has no native library; undefined if it has one.
 * @param hasGlibc - checks whether Node is built on glibc: Alpine, for example, has musl in its place
 */
export function whyNoNative(
  { platform, arch }: { readonly platform: string; readonly arch: string } = process,
  hasGlibc: () => boolean = usesGlibc,
): string | undefined {
  const system = `${platform}-${arch}`;
  if (!NATIVE_SYSTEMS.includes(system)) return `onnxruntime has no native library for ${system}`;
  if (platform !== "linux" || hasGlibc()) return undefined;
  return "the native library of onnxruntime needs glibc, which this system does not use";
}

function usesGlibc(): boolean {
  const { header } = process.report.getReport() as {
    readonly header: { readonly glibcVersionRuntime?: string };
  };
  return header.glibcVersionRuntime !== undefined;
}
