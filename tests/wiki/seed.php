<?php
// Maintenance of the tests' wiki: makes its people (without arguments), or does one thing to one account:
// `php seed.php --do block|hide|unblock|rename|user --name NAME [--to NAME]`.
require_once getenv( 'MW_INSTALL_PATH' ) . '/maintenance/Maintenance.php';

use MediaWiki\Extension\Renameuser\RenameuserSQL;
use MediaWiki\MediaWikiServices;

class Seed extends Maintenance {
	private const PEOPLE = [ 'Rosa Reporter', 'Rene Respondent', 'Fatima Functionary', 'Filip Functionary',
		'Bruno Blocked', 'Hanna Hidden', 'Nora Newname', 'Rico Revoked', 'Bella Browser' ];

	public function __construct() {
		parent::__construct();
		foreach ( [ 'do', 'name', 'to' ] as $option ) {
			$this->addOption( $option, $option, false, true );
		}
	}

	public function execute() {
		$name = $this->getOption( 'name' );
		switch ( $this->getOption( 'do' ) ) {
			case null:
				array_map( [ $this, 'make' ], self::PEOPLE );
				break;
			case 'user':
				$this->make( $name );
				break;
			case 'block':
			case 'hide':
				$this->block( $name, $this->getOption( 'do' ) === 'hide' );
				break;
			case 'unblock':
				$this->need( MediaWikiServices::getInstance()->getUnblockUserFactory()
					->newUnblockUser( $name, $this->office(), 'test' )->unblockUnsafe() );
				break;
			case 'rename':
				$user = User::newFromName( $name );
				$renaming = new RenameuserSQL( $user->getName(), $this->getOption( 'to' ), $user->getId(), $this->office() );
				if ( !$renaming->rename() ) {
					$this->fatalError( "cannot rename $name" );
				}
				break;
			default:
				$this->fatalError( 'no such act' );
		}
	}

	private function office(): User {
		return User::newSystemUser( 'Test office', [ 'steal' => true ] );
	}

	private function need( Status $status ): void {
		if ( !$status->isOK() ) {
			$this->fatalError( $status->getWikiText() );
		}
	}

	/** The password is the name with "-Pass!". */
	private function make( string $name ): void {
		$user = User::newFromName( $name );
		$this->need( MediaWikiServices::getInstance()->getAuthManager()->autoCreateUser( $user,
			MediaWiki\Auth\AuthManager::AUTOCREATE_SOURCE_MAINT, false ) );
		$user->changeAuthenticationData( [ 'username' => $user->getName(), 'password' => "$name-Pass!", 'retype' => "$name-Pass!" ] );
	}

	private function block( string $name, bool $isHidden ): void {
		$office = $this->office();
		MediaWikiServices::getInstance()->getUserGroupManager()->addUserToGroup( $office, 'suppress' );
		$this->need( MediaWikiServices::getInstance()->getBlockUserFactory()->newBlockUser( $name,
			User::newFromId( $office->getId() ), 'infinity', 'test', [ 'isHideUser' => $isHidden ] )->placeBlockUnsafe( true ) );
	}
}

$maintClass = Seed::class;
require_once RUN_MAINTENANCE_IF_MAIN;
