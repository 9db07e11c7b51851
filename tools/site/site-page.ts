/** One page of the documents before VitePress draws it. */
export interface SitePage {
  /** Path below docs/ of the site, without the ending `.md`. */
  readonly page: string;
  /** Folder of the repository that relative links of the text start from; empty for its root. */
  readonly folder: string;
  /** File of the repository whose links lead to this page; undefined if it stands for none. */
  readonly source: string | undefined;
  /** Text in Markdown, with the links of its source. */
  readonly text: string;
  /** Whether the page is made of sources, so that there is no file to edit. */
  readonly isGenerated: boolean;
}
