/** Asks the browser for a passkey, and says in words for people why there is none. */
import {
  browserSupportsWebAuthn,
  type PublicKeyCredentialCreationOptionsJSON,
  type PublicKeyCredentialRequestOptionsJSON,
  startAuthentication,
  startRegistration,
  WebAuthnError,
} from '@simplewebauthn/browser'

export const passkeysSupported = (): boolean => browserSupportsWebAuthn()

/** Nothing came of it, or the person thought better of it. */
export class PasskeyRefused extends Error {
  override name = 'PasskeyRefused'
}

/** The device's answer to a sign-in; `options` are the server's. */
export async function provePasskey(options: unknown): Promise<Record<string, unknown>> {
  return asked(() => startAuthentication({ optionsJSON: options as PublicKeyCredentialRequestOptionsJSON }))
}

/** A new passkey on a device; `options` are the server's. */
export async function createPasskey(options: unknown): Promise<Record<string, unknown>> {
  return asked(() => startRegistration({ optionsJSON: options as PublicKeyCredentialCreationOptionsJSON }))
}

async function asked(ask: () => Promise<object>): Promise<Record<string, unknown>> {
  try {
    return { ...(await ask()) }
  } catch (error) {
    throw new PasskeyRefused(reason(error), { cause: error })
  }
}

function reason(error: unknown): string {
  if (error instanceof WebAuthnError && error.code === 'ERROR_AUTHENTICATOR_PREVIOUSLY_REGISTERED')
    return 'This device has a passkey for this account already.'
  if (error instanceof Error && error.name === 'NotAllowedError')
    return 'The passkey was not used: it was cancelled, or took too long.'
  return error instanceof Error ? error.message : 'The passkey could not be used.'
}
