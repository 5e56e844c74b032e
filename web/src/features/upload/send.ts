/** One file on its way to the library. XMLHttpRequest, because fetch does not tell how much has been sent. */
import { noteAllowance } from '@/api/allowance'
import { libraryUrl } from '@/api/config'
import { Problem, problemFrom, Unreachable } from '@/api/problem'
import { renew, validToken } from '@/api/session'
import type { Uploaded } from '@/api/types'
import type { FoundFile } from './found-files'

interface SendOptions {
  idempotencyKey: string
  signal: AbortSignal
  onProgress: (fraction: number) => void
}

export async function sendFile(found: FoundFile, options: SendOptions): Promise<Uploaded> {
  const token = await validToken()
  try {
    return await post(found, token, options)
  } catch (error) {
    if (!(error instanceof Problem && error.status === 401)) throw error
    return post(found, await renew(token), options)
  }
}

function post({ file, folder }: FoundFile, token: string, options: SendOptions): Promise<Uploaded> {
  const { idempotencyKey, signal, onProgress } = options
  return new Promise((resolve, reject) => {
    const form = new FormData()
    if (folder) form.append('folder', folder)
    form.append('audio', file, file.name)
    const xhr = new XMLHttpRequest()
    const abort = () => xhr.abort()
    xhr.open('POST', libraryUrl('/api/samples'))
    xhr.setRequestHeader('Authorization', `Bearer ${token}`)
    xhr.setRequestHeader('Idempotency-Key', idempotencyKey)
    xhr.upload.onprogress = ({ loaded, total }) => onProgress(total ? loaded / total : 0)
    xhr.onload = () => {
      const body = parse(xhr.responseText)
      const headers = { get: (name: string) => xhr.getResponseHeader(name) }
      noteAllowance(headers)
      if (xhr.status >= 200 && xhr.status < 300) resolve(body as Uploaded)
      else reject(problemFrom(xhr.status, body, headers))
    }
    xhr.onerror = () => reject(new Unreachable())
    xhr.onabort = () => reject(new DOMException('Cancelled', 'AbortError'))
    xhr.onloadend = () => signal.removeEventListener('abort', abort)
    if (signal.aborted) return reject(new DOMException('Cancelled', 'AbortError'))
    signal.addEventListener('abort', abort)
    xhr.send(form)
  })
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
