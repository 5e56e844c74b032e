/** From whatever was dropped or picked to the audio files in it, each with the folder it lay in. */

export interface FoundFile {
  file: File
  /** Relative path of the folder, "" for a file dropped by itself. */
  folder: string
}

export interface Found {
  files: FoundFile[]
  /** How many files were left out because they are not audio. */
  skipped: number
}

const AUDIO = /\.(wav|wave|aif|aiff|aifc|flac|mp3|ogg|oga|opus|m4a)$/i
const LITTER = /^(\._.*|\..*|thumbs\.db|desktop\.ini|icon\r|__macosx)$/i

export function isAudio(name: string): boolean {
  return AUDIO.test(name)
}

/** Files that systems leave behind and nobody means to upload: resource forks, .DS_Store, __MACOSX, hidden ones. */
export function isLitter(path: string): boolean {
  return path.split('/').some((part) => LITTER.test(part))
}

function collect(found: Found, file: File, path: string): void {
  if (isLitter(path)) return
  if (isAudio(file.name)) found.files.push({ file, folder: path.split('/').slice(0, -1).join('/') })
  else found.skipped++
}

/** For pickers; a folder picker gives every file its path. */
export function fromFileList(list: Iterable<File>): Found {
  const found: Found = { files: [], skipped: 0 }
  for (const file of list) collect(found, file, file.webkitRelativePath || file.name)
  return found
}

/**
 * For drops, folders and all. Entries must be taken from the event before anything is awaited: the browser empties
 * the list when the handler returns.
 */
export async function fromDrop(transfer: DataTransfer): Promise<Found> {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null)
  if (entries.length === 0) return fromFileList(transfer.files)
  return walk(entries)
}

export async function walk(entries: readonly FileSystemEntry[]): Promise<Found> {
  const found: Found = { files: [], skipped: 0 }
  const waiting = [...entries]
  for (let entry = waiting.shift(); entry; entry = waiting.shift()) {
    const path = entry.fullPath.replace(/^\//, '')
    if (isLitter(path)) continue
    if (entry.isDirectory) waiting.unshift(...(await children(entry as FileSystemDirectoryEntry)))
    else collect(found, await fileOf(entry as FileSystemFileEntry), path)
  }
  return found
}

/** All of a folder's entries: a reader hands them out in batches (of 100 in Chromium) until it gives none. */
async function children(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader()
  const all: FileSystemEntry[] = []
  for (;;) {
    const batch = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    )
    if (batch.length === 0) return all
    all.push(...batch)
  }
}

function fileOf(entry: FileSystemFileEntry): Promise<File> {
  return new Promise((resolve, reject) => entry.file(resolve, reject))
}
