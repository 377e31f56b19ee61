/** What `UciStore` needs of a file system. Paths are absolute or relative to wherever it likes. */
export interface Files {
  /** Whether something, of whatever kind, has this path. */
  exists(path: string): boolean;
  /** A regular file's bytes; undefined when there is none. */
  read(path: string): Uint8Array | undefined;
  /** Names in a directory but of directories, in any order; undefined when it cannot be listed. */
  list(directory: string): string[] | undefined;
  /**
   * Appends, and makes file and directory where they are missing: the file with the mode of
   * `like.file`, the directory with that of `like.directory`.
   */
  append(path: string, bytes: Uint8Array, like: { file: string; directory: string }): void;
  /** Cuts a file that exists to size 0. */
  truncate(path: string): void;
  /**
   * Replaces a file in one step, so that a reader sees the old or the new one. Keeps its mode, and
   * follows it when it is a symbolic link. A new file gets mode 0600.
   */
  replace(path: string, bytes: Uint8Array): void;
}
