/** One page of the documents before VitePress draws it. */
export interface SitePage {
  /** Path below docs/ of the site, without the ending `.md`. */
  readonly page: string;
  /** Path of the file in the repository that relative links of the text start from. */
  readonly source: string;
  /** Text in Markdown, with the links of its source. */
  readonly text: string;
  /** Whether the page is made of sources, so that there is no file to edit. */
  readonly isGenerated: boolean;
}
