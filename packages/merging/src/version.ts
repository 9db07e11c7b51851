/** Version of this program, which `tools/version.mjs` writes for each release. */
export const VERSION = "0.2.0";
