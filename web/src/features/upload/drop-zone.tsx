import { Upload } from 'lucide-react'
import { type ReactNode, useEffect, useRef, useState } from 'react'
import { notify, notifyFailure } from '@/ui/toast'
import { type Found, fromDrop, fromFileList } from './found-files'
import { enqueue } from './queue'

export function accept(found: Found): void {
  enqueue(found)
  if (found.files.length === 0)
    notify(found.skipped ? 'None of these files is audio' : 'There is nothing to upload in there')
}

const carriesFiles = (event: DragEvent) => event.dataTransfer?.types.includes('Files') ?? false

/** Takes files and folders dropped anywhere; a browser that is not stopped would leave the app to open them. */
export function DropZone() {
  const [over, setOver] = useState(false)
  useEffect(() => {
    let depth = 0
    function enter(event: DragEvent) {
      if (!carriesFiles(event)) return
      depth++
      setOver(true)
    }
    function leave(event: DragEvent) {
      if (!carriesFiles(event)) return
      depth--
      if (depth <= 0) setOver(false)
    }
    function allow(event: DragEvent) {
      if (carriesFiles(event)) event.preventDefault()
    }
    function drop(event: DragEvent) {
      if (!carriesFiles(event) || !event.dataTransfer) return
      event.preventDefault()
      depth = 0
      setOver(false)
      fromDrop(event.dataTransfer).then(accept, (error: unknown) =>
        notifyFailure('The files could not be read', error),
      )
    }
    window.addEventListener('dragenter', enter)
    window.addEventListener('dragleave', leave)
    window.addEventListener('dragover', allow)
    window.addEventListener('drop', drop)
    return () => {
      window.removeEventListener('dragenter', enter)
      window.removeEventListener('dragleave', leave)
      window.removeEventListener('dragover', allow)
      window.removeEventListener('drop', drop)
    }
  }, [])

  if (!over) return null
  return (
    <div className="pointer-events-none fixed inset-2 z-50 grid place-items-center rounded-xl border-2 border-dashed border-accent bg-[#0d0c0be0]">
      <div className="flex flex-col items-center gap-2 text-center">
        <Upload size={36} className="text-accent" />
        <p className="text-lg font-semibold">Drop files and folders to add them</p>
        <p className="text-soft">WAV, AIFF, FLAC, MP3, OGG, Opus and M4A</p>
      </div>
    </div>
  )
}

/** Hands `pick` functions to whatever shows the buttons. */
export function Pickers({
  children,
}: {
  children: (pick: { files: () => void; folder: () => void }) => ReactNode
}) {
  const files = useRef<HTMLInputElement>(null)
  const folder = useRef<HTMLInputElement>(null)
  useEffect(() => {
    folder.current?.setAttribute('webkitdirectory', '')
  }, [])
  function take(event: React.ChangeEvent<HTMLInputElement>) {
    if (event.target.files) accept(fromFileList(event.target.files))
    event.target.value = ''
  }
  return (
    <>
      <input
        ref={files}
        type="file"
        multiple
        hidden
        aria-label="Audio files"
        accept="audio/*,.aif,.aiff,.aifc,.flac,.opus,.m4a"
        onChange={take}
      />
      <input ref={folder} type="file" multiple hidden aria-label="Folder of audio files" onChange={take} />
      {children({ files: () => files.current?.click(), folder: () => folder.current?.click() })}
    </>
  )
}
