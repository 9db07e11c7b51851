/** Fields of a package.json that are changed when it is published. */
export interface PublishedManifest {
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

export function publishedManifest(manifest: object): PublishedManifest;
