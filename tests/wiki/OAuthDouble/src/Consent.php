<?php
namespace MediaWiki\Extension\OAuthDouble;

use Html;
use UnlistedSpecialPage;

/** Special:OAuthDouble: where the wiki's login form returns to, and the page that asks for consent. */
class Consent extends UnlistedSpecialPage {
	public function __construct() {
		parent::__construct( 'OAuthDouble' );
	}

	public function execute( $subPage ) {
		$this->setHeaders();
		$this->requireLogin();
		$request = $this->getRequest();
		$query = wfCgiToArray( $request->getText( 'request' ) );
		$id = (string)( $query['client_id'] ?? '' );
		$client = Store::client( $id );
		if ( !$client ) {
			$this->getOutput()->showErrorPage( 'oauthdouble', 'badarticleerror' );
			return;
		}
		$user = $this->getUser();
		if ( $request->wasPosted() && $user->matchEditToken( $request->getVal( 'token' ) ) ) {
			if ( $request->getCheck( 'allow' ) ) {
				Store::allow( $user->getId(), $id );
			} else {
				$query['approval_cancel'] = '1';
			}
		} elseif ( !empty( $client['ask'] ) && !Store::consent( $user->getId(), $id ) ) {
			$this->ask( $id );
			return;
		}
		$this->getOutput()->redirect( wfAppendQuery( wfExpandUrl( '/rest.php/oauth2/authorize' ), $query ) );
	}

	private function ask( string $id ): void {
		$request = $this->getRequest();
		$this->getOutput()->addHTML( Html::rawElement( 'form', [ 'method' => 'post', 'id' => 'consent' ],
			Html::element( 'p', [], "May $id know who you are?" )
			. Html::hidden( 'request', $request->getText( 'request' ) )
			. Html::hidden( 'token', $this->getUser()->getEditToken() )
			. Html::submitButton( 'Allow', [ 'name' => 'allow' ] )
			. Html::submitButton( 'Cancel', [ 'name' => 'cancel' ] ) ) );
	}
}
