<?php
namespace MediaWiki\Extension\OAuthDouble;

use MediaWiki\MediaWikiServices;

/** GET oauth2/resource/profile: who the token stands for; JSON that calls itself HTML, as the original does. */
class Profile extends Endpoint {
	public function execute() {
		$this->count( 'profile' );
		$trouble = $this->trouble( 'profile' );
		if ( $trouble ) {
			return $trouble;
		}
		$header = $this->getRequest()->getHeaderLine( 'Authorization' );
		$row = Tokens::check( trim( preg_replace( '/^\s*Bearer\s/i', '', $header ) ) );
		if ( is_string( $row ) ) {
			return $this->refuse( 401, 'access_denied', $row );
		}
		$services = MediaWikiServices::getInstance();
		$user = $services->getUserFactory()->newFromId( $row['user'] );
		$profile = [ 'sub' => $user->getId() ];
		if ( $user->isHidden() ) {
			$profile['blocked'] = true;
		} else {
			$profile += [ 'username' => $user->getName(), 'editcount' => (int)$user->getEditCount(),
				'confirmed_email' => $user->isEmailConfirmed(), 'blocked' => $user->getBlock() !== null,
				'registered' => $user->getRegistration(),
				'groups' => $services->getUserGroupManager()->getUserEffectiveGroups( $user ),
				'rights' => $services->getPermissionManager()->getUserPermissions( $user ), 'grants' => [ 'mwoauth-authonly' ] ];
		}
		return $this->answer( 200, $profile, 'text/html; charset=UTF-8' );
	}
}
