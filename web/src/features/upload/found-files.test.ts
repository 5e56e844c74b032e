import { describe, expect, it } from 'vitest'
import { fromFileList, isAudio, isLitter, walk } from './found-files'

/** As Chromium hands folders out: in batches, an empty batch at the end. */
const BATCH = 100

function file(path: string): FileSystemEntry {
  const name = path.split('/').at(-1) ?? ''
  return {
    isFile: true,
    isDirectory: false,
    name,
    fullPath: `/${path}`,
    file: (resolve: (found: File) => void) => resolve(new File(['x'], name)),
  } as unknown as FileSystemEntry
}

function folder(path: string, children: FileSystemEntry[]): FileSystemEntry {
  return {
    isFile: false,
    isDirectory: true,
    name: path.split('/').at(-1),
    fullPath: `/${path}`,
    createReader() {
      let given = 0
      return {
        readEntries(resolve: (entries: FileSystemEntry[]) => void) {
          resolve(children.slice(given, given + BATCH))
          given += BATCH
        },
      }
    },
  } as unknown as FileSystemEntry
}

describe('a dropped folder', () => {
  it('is walked to the bottom, keeping each file’s folder', async () => {
    const found = await walk([
      folder('kit', [file('kit/kick.wav'), folder('kit/hats', [file('kit/hats/open.flac')])]),
      file('loop.mp3'),
    ])
    expect(found.files.map(({ file, folder }) => [folder, file.name])).toEqual([
      ['kit', 'kick.wav'],
      ['kit/hats', 'open.flac'],
      ['', 'loop.mp3'],
    ])
  })

  it('is read to the end when it holds more than one batch', async () => {
    const many = Array.from({ length: 250 }, (_, i) => file(`kit/${i}.wav`))
    expect((await walk([folder('kit', many)])).files).toHaveLength(250)
  })

  it('leaves litter out silently and counts what is not audio', async () => {
    const found = await walk([
      folder('kit', [
        file('kit/.DS_Store'),
        file('kit/._kick.wav'),
        file('kit/kick.wav'),
        file('kit/cover.jpg'),
        folder('kit/__MACOSX', [file('kit/__MACOSX/kick.wav')]),
      ]),
    ])
    expect(found.files.map(({ file }) => file.name)).toEqual(['kick.wav'])
    expect(found.skipped).toBe(1)
  })
})

it('takes the folder of a picked file from its relative path', () => {
  const picked = new File(['x'], 'kick.wav')
  Object.defineProperty(picked, 'webkitRelativePath', { value: 'kits/808/kick.wav' })
  expect(fromFileList([picked]).files).toEqual([{ file: picked, folder: 'kits/808' }])
})

it('knows audio by its ending, whatever the case', () => {
  for (const name of ['a.wav', 'A.WAV', 'b.aif', 'b.AIFF', 'c.flac', 'd.mp3', 'e.ogg', 'f.opus', 'g.m4a']) {
    expect(isAudio(name)).toBe(true)
  }
  for (const name of ['a.txt', 'wav', 'a.wav.zip', 'b.asd', 'c.mid']) expect(isAudio(name)).toBe(false)
})

it('knows litter anywhere on the path', () => {
  for (const path of ['.DS_Store', 'a/._b.wav', '__MACOSX/a.wav', 'a/Thumbs.db', '.git/x.wav', 'Icon\r']) {
    expect(isLitter(path)).toBe(true)
  }
  expect(isLitter('kits/my.kick.wav')).toBe(false)
})
