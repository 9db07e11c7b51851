export declare function bundleScripts<const T extends readonly URL[]>(
  scripts: T,
): Promise<{ [K in keyof T]: URL }>;
