/** The pages behind the links in our mails that need one click and nothing else. */
import { getRouteApi } from '@tanstack/react-router'
import { confirmEmail, keepAccount, undoEmailChange } from './api'
import { LinkPage } from './link-page'

const confirmRoute = getRouteApi('/visitor/confirm-email')
const undoRoute = getRouteApi('/visitor/undo-email-change')
const keepRoute = getRouteApi('/visitor/keep-account')

export function ConfirmEmailPage() {
  return (
    <LinkPage
      token={confirmRoute.useSearch().token}
      title="Confirm your new address"
      lead="From then on you sign in with it."
      action="Confirm address"
      done="Address changed"
      doneLead="Sign in with the new address from now on."
      use={confirmEmail}
    />
  )
}

export function UndoEmailChangePage() {
  return (
    <LinkPage
      token={undoRoute.useSearch().token}
      title="Keep your old address"
      lead="The change is taken back and every device is signed out. We mail you a link to choose a new password, in case somebody else knows it."
      action="Take the change back"
      done="Your old address is back"
      doneLead="Read the mail we have just sent you and choose a new password."
      use={undoEmailChange}
    />
  )
}

export function KeepAccountPage() {
  return (
    <LinkPage
      token={keepRoute.useSearch().token}
      title="Keep your account"
      lead="It will not be deleted, and everything in it stays."
      action="Keep my account"
      done="Your account stays"
      doneLead="Nothing was deleted."
      use={keepAccount}
    />
  )
}
