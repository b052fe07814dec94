<?php
namespace MediaWiki\Extension\OAuthDouble;

/** POST oauth2/revoke `client_id`: somebody who is logged in to the wiki withdraws consent, and every token ends. */
class Revoke extends Endpoint {
	public function execute() {
		$user = $this->getAuthority()->getUser();
		if ( !$user->isRegistered() ) {
			return $this->refuse( 401, 'access_denied', 'nobody is logged in' );
		}
		Store::withdraw( $user->getId(), (string)( $this->getRequest()->getPostParams()['client_id'] ?? '' ) );
		return $this->answer( 200, [] );
	}
}
